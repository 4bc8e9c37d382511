/** The page of a whiteboard. Its address holds the key after `#`, which browsers send to no server. */
import { createRoot } from 'react-dom/client'
import '../base.css'
import { WhiteboardScreen } from './screen.tsx'
import './whiteboard.css'

createRoot(document.getElementById('root')!).render(<WhiteboardScreen boardKey={location.hash.slice(1)} />)
