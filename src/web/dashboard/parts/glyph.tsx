import { Drawing } from '../../parts/icon.tsx'

/** The dashboard's own line drawings on a grid of 24. */
const paths = {
  overview: 'M4 19.5h16M6.5 16v-4.5M11 16V6.5M15.5 16v-6.5M19 16v-3',
  meetings:
    'M4 7.5A1.5 1.5 0 0 1 5.5 6h8A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 4 16.5zM15 11l5-3v8l-5-3',
  sessions: 'M12 4.5a7.5 7.5 0 1 0 7.1 5M12 8v4.2l2.8 1.8M19.5 4.5v5h-5',
  usage: 'M4.5 5v14.5h15M8.5 16v-4M12 16V8M15.5 16v-6M19 16v-9',
  outputs: 'M4.5 6h15v12h-15zM10 9.5v5l4.2-2.5z',
  keys: 'M14.5 4.5a5 5 0 1 1-4 8L5 18v1.5h3V17h2.5v-2.5l.6-.6M16 8.4v.1',
  webhooks: 'M5 12h9.5M11 7.5 15.5 12 11 16.5M19 5v14',
  tokens: 'M12 3.5 19 6v5.5c0 4-2.8 7.2-7 9-4.2-1.8-7-5-7-9V6zM9 12l2.2 2.2L15.2 10',
  console: 'M4.5 6h15v12h-15zM8 10l2.5 2L8 14M12.5 14.5h4',
  operators:
    'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3.5 19a5.5 5.5 0 0 1 11 0M16 5.4a3 3 0 0 1 0 5.4M17.5 14.2a5.5 5.5 0 0 1 3 4.8',
  audit: 'M6 4.5h9l3.5 3.5v11.5H6zM9 11h6M9 14h6M9 17h3.5',
  settings: 'M5 7h8M17 7h2M13 5v4M5 12h2M11 12h8M9 10v4M5 17h8M17 17h2M15 15v4',
  out: 'M13 5H6v14h7M10.5 12H20M16.5 8.5 20 12l-3.5 3.5',
  remove: 'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3.5 19a5.5 5.5 0 0 1 11 0M16 8.5l4.5 4.5M20.5 8.5 16 13',
  open: 'M13 5h6v6M19 5l-8 8M10 6H5.5v12.5H18V14',
} as const

export type GlyphName = keyof typeof paths

export function Glyph({ name }: { name: GlyphName }) {
  return <Drawing path={paths[name]} />
}
