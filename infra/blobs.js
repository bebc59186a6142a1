// CloudFront Function (cloudfront-js-2.0), viewer request of /blobs/*: behind the prefix is the key, as it was signed.
// What mailboxes hold must not run in the pages, whose own scripts come from this very origin. A browser says what
// it will do with an answer; other clients say nothing.
var HARMLESS = /^(empty|document|image|audio|video)$/;

// A page elsewhere asks first: it brings its Authorization along the redirect.
var PREFLIGHT = {
  'access-control-allow-origin': {value: '*'},
  'access-control-allow-methods': {value: 'GET, HEAD'},
  'access-control-allow-headers': {value: 'Authorization, Range'},
  'access-control-max-age': {value: '86400'},
};

function handler(event) {
  var request = event.request;
  var use = request.headers['sec-fetch-dest'];
  if (request.method === 'OPTIONS') {
    return {statusCode: 204, statusDescription: 'No Content', headers: PREFLIGHT};
  }
  if (use && !HARMLESS.test(use.value)) {
    return {statusCode: 403, statusDescription: 'Forbidden'};
  }
  request.uri = request.uri.slice('/blobs'.length);
  return request;
}
