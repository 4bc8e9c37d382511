/** The page of a whiteboard. Its address holds the key after `#`, which browsers send to no server. */
import { createRoot } from 'react-dom/client'
import '../base.css'
import { showFirstLanguage } from '../texts/texts.ts'
import { WhiteboardScreen } from './screen.tsx'
import './whiteboard.css'

await showFirstLanguage()
createRoot(document.getElementById('root')!).render(<WhiteboardScreen boardKey={location.hash.slice(1)} />)
