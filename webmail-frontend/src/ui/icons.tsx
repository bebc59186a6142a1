/** Line icons on a 24-unit grid, drawn for this project: strokes of 1.75 in the text's colour. */
const PATHS = {
  inbox: 'M4 13.5 6.4 5.6A1.5 1.5 0 0 1 7.8 4.5h8.4a1.5 1.5 0 0 1 1.4 1.1L20 13.5V18a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18zM4 13.5h4.5a3.5 3.5 0 0 0 7 0H20',
  drafts: 'M5 19h3.5L19 8.5 15.5 5 5 15.5zM13.5 7 17 10.5',
  sent: 'M20.5 3.5 3.5 10.5l6.5 3.5 3.5 6.5zM20.5 3.5 10 14',
  archive: 'M4 5h16v4H4zM5.5 9v10h13V9M10 13h4',
  junk: 'M8.2 3.5h7.600l4.7 4.700v7.600l-4.7 4.700H8.200l-4.7-4.700V8.200zM12 8v5M12 16.200v.1',
  trash: 'M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.400L17.5 7M10.3 11v5M13.7 11v5',
  folder: 'M3.5 6A1.5 1.5 0 0 1 5 4.5h4l2 2.5h8A1.5 1.5 0 0 1 20.5 8.5V18a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 18z',
  compose: 'M12 5H5.5A1.5 1.5 0 0 0 4 6.5v12A1.5 1.5 0 0 0 5.5 20h12a1.5 1.5 0 0 0 1.5-1.5V12M9 15l.7-3.200L18 3.5 20.5 6l-8.3 8.300z',
  reply: 'M9.5 6 4 11.5 9.5 17M4.5 11.5H14a6 6 0 0 1 6 6v1',
  replyall: 'M7.5 6 2 11.5 7.5 17M12.5 6 7 11.5 12.5 17M7.5 11.5H16a6 6 0 0 1 6 6v1',
  forward: 'M14.5 6 20 11.5 14.5 17M19.5 11.5H10a6 6 0 0 0-6 6v1',
  star: 'm12 3.8 2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z',
  unread: 'M3.5 6.5h17v12h-17zM3.5 7l8.5 6.5L20.5 7',
  clip: 'm19.5 11-7.8 7.800a5 5 0 0 1-7-7l8-8a3.4 3.4 0 0 1 4.8 4.800l-7.8 7.800a1.7 1.7 0 0 1-2.4-2.400l7-7',
  download: 'M12 4v11M7.5 11 12 15.5 16.5 11M4.5 19.5h15',
  back: 'M15 5l-7 7 7 7',
  menu: 'M4 6.5h16M4 12h16M4 17.5h16',
  close: 'M6 6l12 12M18 6 6 18',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.6 2.200c-.7.4-1.1.9-1.1 1.700v.3M12 16.800v.1',
  signout: 'M10 4.5H5.5v15H10M14 8l4 4-4 4M18 12H9',
  refresh: 'M19.5 12a7.5 7.5 0 1 1-2.3-5.400M19.5 4v4.5H15',
  more: 'M5.5 12v.1M12 12v.1M18.5 12v.1',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M18.7 5.300l-1.4 1.400M6.7 17.300l-1.4 1.4',
  moon: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z',
  auto: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 3.5v17M12 8h5.5M12 12h8M12 16h5.5',
  image: 'M4 5h16v14H4zM4 16l4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.5v.1',
  file: 'M6.5 3.5h7l4.5 4.5v12.5h-11.5zM13 3.800V8.5h4.7',
  minimise: 'M6 18h12',
  restore: 'M6 15l6-6 6 6',
  bold: 'M8 5h5a3.5 3.5 0 0 1 0 7H8zM8 12h6a3.5 3.5 0 0 1 0 7H8z',
  italic: 'M11 5h6M7 19h6M14 5l-4 14',
  underline: 'M7 4.5V11a5 5 0 0 0 10 0V4.5M6 20h12',
  bullets: 'M9.5 6.5H20M9.5 12H20M9.5 17.5H20M4.8 6.5v.1M4.8 12v.1M4.8 17.5v.1',
  numbers: 'M10 6.5h10M10 12h10M10 17.5h10M4 5l1.5-.5v4M4 15.700c1.5-1 2.6-.2 2.1.9L4 19.5h2.5',
  quote: 'M10 7.5c-3 .8-4.5 3-4.5 6v3H10v-4.5H7.5M18.5 7.5c-3 .8-4.5 3-4.5 6v3h4.5v-4.5H16',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.700l1-1',
  move: 'M3.5 6A1.5 1.5 0 0 1 5 4.5h4l2 2.5h8A1.5 1.5 0 0 1 20.5 8.5V18a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 18zM9 13.300h6M12.7 10.800l2.5 2.5-2.5 2.5',
  print: 'M7 9V4h10v5M7 16H4V9h16v7h-3M7 13.5h10V20H7z',
  copy: 'M9 9h11v11H9zM5.5 15H4V4h11v1.5',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  alert: 'M12 4 2.8 19.5h18.400zM12 10v4.5M12 17v.1',
  offline: 'M4 4l16 16M8.5 15.5a5 5 0 0 1 7 0M5.5 12.300a9.5 9.5 0 0 1 4-2.300M2.5 9a14 14 0 0 1 4-2.600M18.5 12.300a9.5 9.5 0 0 0-4-2.300M21.5 9A14 14 0 0 0 10 5.600M12 19v.1',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg class={`icon ${filled ? 'is-filled' : ''}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A button that shows only an icon; its words are its name and tooltip. */
export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick: () => void;
  pressed?: boolean;
  filled?: boolean;
  disabled?: boolean;
  class?: string;
  shortcut?: string;
}) {
  const { icon, label, onClick, pressed, filled, disabled, shortcut } = props;
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ''}`}
      aria-label={label}
      title={shortcut ? `${label} (${shortcut})` : label}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} filled={filled ?? false} />
    </button>
  );
}
