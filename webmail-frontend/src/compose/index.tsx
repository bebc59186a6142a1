/** Everything of composing, loaded when the first letter is begun. */
export { Composer } from './composer.tsx';
export { addressed, answering, blank, forwarding, reopened } from './quote.ts';
