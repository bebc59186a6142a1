// CloudFront Function (cloudfront-js-2.0), viewer request: the host chooses page and brand.
var PAGES = {admin: '/admin.html', emailadmin: '/admin.html', reseller: '/reseller.html'};
var API = /^\/(v1|jmap|\.well-known)\/|^\/brand\.json$/;

function handler(event) {
  var request = event.request;
  var host = request.headers.host.value.toLowerCase();
  request.headers['x-forwarded-host'] = {value: host};
  // A page's own paths carry no dot; files do.
  if (!API.test(request.uri) && request.uri.indexOf('.') < 0) {
    request.uri = PAGES[host.split('.')[0]] || '/mail.html';
  }
  return request;
}
