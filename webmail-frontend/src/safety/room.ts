import createPurifier, { type DOMPurify } from 'dompurify';

/**
 * The room where hostile HTML is parsed: an empty frame without scripts and with frame.html's CSP. The page itself never
 * parses a message, so its own CSP needs no Trusted Types policy, and a message's styles do not trip over `style-src`.
 */
let opened: Promise<DOMPurify> | undefined;

export function openRoom(): Promise<DOMPurify> {
  opened ??= load().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

function load(): Promise<DOMPurify> {
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-same-origin');
  frame.hidden = true;
  frame.src = '/frame.html';
  return new Promise((done, failed) => {
    frame.onload = () => {
      const inside = frame.contentWindow as (Window & typeof globalThis) | null;
      // A page that the network put in its place is not ours, and may not be touched.
      if (frame.contentDocument?.title && inside) done(createPurifier(inside));
      else {
        frame.remove();
        failed(new Error('frame.html did not load'));
      }
    };
    document.body.append(frame);
  });
}
