import { defineConfig } from 'vite';

/** Three pages over shared code. Nothing is inlined: the pages' CSP allows files of their own origin alone. */
export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: { mail: 'mail.html', admin: 'admin.html', reseller: 'reseller.html' } },
  },
});
