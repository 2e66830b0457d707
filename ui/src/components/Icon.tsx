// Own-drawn signs of the controls, 16×16, stroked with the text colour.

const SHAPES = {
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10M6 6h4v4H6Z',
  arrange: 'M3 8h3.5M9.5 3.5H8L6.5 8 8 12.5h1.5M10 2h3.5v3H10ZM10 11h3.5v3H10ZM2 6.5h2.5v3H2Z',
  list: 'M2.5 3.5h11M2.5 8h11M2.5 12.5h11',
  map: 'M5.5 8h2L9.6 4.5M7.5 8l2 3.6M3.6 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM11.2 2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM11.2 10.4a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z',
  options:
    'M2 4.5h6M12 4.5h2M10 2.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4ZM2 11.5h2M8 11.5h6M6 9.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4Z',
  picture: 'M8 2.5v7M5 7l3 3 3-3M2.5 11v2.5h11V11',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  filter: 'M2 3.5h12M4.5 8h7M6.5 12.5h3',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.4 10.4l3.4 3.4',
  caret: 'M4.5 6.5 8 10l3.5-3.5',
  copy: 'M5.5 5.5h8v8h-8ZM3.5 10.5h-1v-8h8v1',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1Z',
  system: 'M2 3h12v8H2ZM5.5 13.5h5',
  keys: 'M1.5 4h13v8h-13ZM4 6.5h.1M6.6 6.5h.1M9.3 6.5h.1M12 6.5h.1M5 9.5h6',
  link: 'M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.6.6M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.6-.6',
  share:
    'M5.8 7.2l4.6-2.4M5.8 8.8l4.6 2.4M4 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM12 2.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM12 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z',
  bell: 'M8 2a4 4 0 0 1 4 4v3l1.2 2.2H2.8L4 9V6a4 4 0 0 1 4-4ZM6.6 13.4a1.5 1.5 0 0 0 2.8 0',
  focus: 'M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM8 1v3M8 12v3M1 8h3M12 8h3',
  pin: 'M5.5 2.5h5M6.2 2.5v4L4 9v1h8V9L9.8 6.5v-4M8 10v4',
  user: 'M8 2.5a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM2.8 13.5c.6-2.6 2.7-4 5.2-4s4.6 1.4 5.2 4',
  back: 'M9.5 3.5 5 8l4.5 4.5',
} as const

export type IconName = keyof typeof SHAPES

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  )
}

/** Raymap's own sign, as in the favicon. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" fill="none">
      <path d="M9 20 22 10M9 20l14 5" stroke="var(--edge)" strokeWidth="2.4" />
      <circle cx="9" cy="20" r="5" fill="var(--bg)" stroke="var(--ok)" strokeWidth="4" />
      <circle cx="23" cy="9" r="4" fill="var(--bg)" stroke="var(--fault)" strokeWidth="4" />
      <circle cx="24" cy="25" r="3" fill="var(--bg)" stroke="var(--throttle)" strokeWidth="3.4" />
    </svg>
  )
}
