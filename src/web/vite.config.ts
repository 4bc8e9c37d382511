import react from '@vitejs/plugin-react'
import { join } from 'node:path'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: join(import.meta.dirname, '../../dist/web'),
    emptyOutDir: true,
    // The meeting page loads nothing of the dashboard.
    rolldownOptions: {
      input: {
        meeting: join(import.meta.dirname, 'index.html'),
        dashboard: join(import.meta.dirname, 'dashboard/index.html'),
      },
    },
    chunkSizeWarningLimit: 1200,
    // The policy of the page allows nothing inline.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
})
