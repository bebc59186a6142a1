/* Older browsers get a plain page that says so (S41). Written in the language of 2009, so that they can read it. */
(function () {
  var TEXT =
    'This page needs a newer browser. Please update it: the last two versions of Chrome, Edge, Firefox and Safari work. ' +
    'Your mail is safe, and a mail program can read it too.';

  function modern() {
    return (
      'noModule' in document.createElement('script') &&
      !!window.HTMLDialogElement &&
      !!window.structuredClone &&
      !!window.ResizeObserver &&
      !!(window.CSS && CSS.supports && CSS.supports('color', 'light-dark(#000, #fff)'))
    );
  }

  function plain() {
    if (!document.body) {
      setTimeout(plain, 50);
      return;
    }
    document.title = 'Please update your browser';
    while (document.body.firstChild) document.body.removeChild(document.body.firstChild);
    var box = document.createElement('p');
    box.id = 'old-browser';
    box.style.cssText = 'font:18px/1.5 sans-serif;max-width:34em;margin:4em auto;padding:0 1em;color:#222';
    box.appendChild(document.createTextNode(TEXT));
    document.body.appendChild(box);
  }

  window.tooOld = !modern();
  if (window.tooOld) {
    plain();
    return;
  }
  // A module that this browser cannot parse fails before any of its own code could say so.
  window.addEventListener(
    'error',
    function (event) {
      var root = document.getElementById('root');
      if (event instanceof ErrorEvent && event.error instanceof SyntaxError && root && !root.firstChild) plain();
    },
    true
  );
})();
