/** Line drawings on a grid of 24. */
const paths = {
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21',
  micOff:
    'M9 9v2a3 3 0 0 0 4.7 2.5M15 11V6a3 3 0 0 0-5.8-1M5.5 11a6.5 6.5 0 0 0 10 5.4M18.5 11a6.6 6.6 0 0 1-.6 2.8M12 17.5V21M4 4l16 16',
  camera:
    'M4 7.5A1.5 1.5 0 0 1 5.5 6h8A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 4 16.5zM15 11l5-3v8l-5-3',
  cameraOff:
    'M9 6h4.5A1.5 1.5 0 0 1 15 7.5V11l5-3v8l-2-1.2M15 15.5v1a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 4 16.5v-9A1.5 1.5 0 0 1 5.5 6M4 4l16 16',
  share: 'M4 5.5h16v11H4zM12 13.5v-5M9.5 10.5 12 8l2.5 2.5M9 20h6',
  people:
    'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3.5 19a5.5 5.5 0 0 1 11 0M16 5.5a2.7 2.7 0 0 1 0 5.2M17 14a5 5 0 0 1 3.5 4.8',
  chat: 'M4.5 5.5h15v10.5H11l-4.5 3.5V16h-2zM8 9.5h8M8 12.5h5',
  poll: 'M5 19.5V11h3.5v8.5zM10.2 19.5v-15h3.6v15zM15.5 19.5V8H19v11.5z',
  hand: 'M7 12.5V7a1.4 1.4 0 0 1 2.8 0v4-5.6a1.4 1.4 0 0 1 2.8 0V11 6.2a1.4 1.4 0 0 1 2.8 0V12l1.3-2a1.4 1.4 0 0 1 2.4 1.4L16.6 17a6 6 0 0 1-5.2 3.2A4.6 4.6 0 0 1 7 15.6z',
  smile: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 14a4.2 4.2 0 0 0 7 0M9 9.5v.4M15 9.5v.4',
  leave: 'M4 15.5v-2.2c4.8-3 11.2-3 16 0v2.2l-4.2-1v-2.2a14 14 0 0 0-7.6 0v2.2z',
  invite:
    'M10 13.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1M14 10.5a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5l1-1',
  more: 'M12 6.2v.1M12 12v.1M12 17.8v.1',
  layout: 'M4 5.5h16v13H4zM14 5.5v13M14 12h6',
  larger: 'M9 4.5H4.5V9M15 4.5h4.5V9M9 19.5H4.5V15M15 19.5h4.5V15',
  smaller: 'M4.5 9H9V4.5M19.5 9H15V4.5M4.5 15H9v4.5M19.5 15H15v4.5',
  weak: 'M12 4.5 3.5 19h17zM12 10v4.5M12 16.8v.1',
  lock: 'M6 10.5h12V19H6zM8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5M12 14v1.5',
  flip: 'M4.5 9.5A7.8 7.8 0 0 1 18.6 8M18.8 4.5V8.2h-3.7M19.5 14.5A7.8 7.8 0 0 1 5.4 16M5.2 19.5v-3.7h3.7M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  attach: 'M8.5 12.5 14 7a2.6 2.6 0 0 1 3.7 3.7l-7 7a4.4 4.4 0 0 1-6.2-6.2l6.5-6.5',
  pin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return <Drawing path={paths[name]} />
}

export function Drawing({ path }: { path: string }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  )
}
