// CloudFront Function (cloudfront-js-2.0), viewer request: the host chooses page and brand.
var PAGES = {admin: '/admin.html', emailadmin: '/admin.html', reseller: '/reseller.html'};
var API = /^\/(v1|jmap|\.well-known|autodiscover)\/|^\/brand\.json$|^\/mail\/config-v1\.1\.xml$/i;

function handler(event) {
  var request = event.request;
  var host = request.headers.host.value.toLowerCase();
  request.headers['x-forwarded-host'] = {value: host};
  // API Gateway hands out bytes as bytes only to a request that says what it accepts.
  if (!request.headers.accept) {
    request.headers.accept = {value: '*/*'};
  }
  // A page's own paths carry no dot; files do.
  if (!API.test(request.uri) && request.uri.indexOf('.') < 0) {
    request.uri = PAGES[host.split('.')[0]] || '/mail.html';
  }
  return request;
}
