// server.mjs - an authorization server (oidc-provider) and a tracker that believes its tokens, on one port.
//
//   node server.mjs FOLDER      prints its port, and that of nginx's way in; ends with its standard input
//
// nginx has ended TLS before that second port, and passes on the client's certificate in a header, which the first
// port does not believe.
//
// FOLDER has server.crt, server.key, client.crt, rsa.pem, ec.pem.  Every client has tokens that live for LIFE seconds.
// Below /control the test asks what came, and takes tokens back.

import { createHash, X509Certificate, createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import * as jose from 'jose';
import Provider from 'oidc-provider';
import { Webhook } from 'standardwebhooks';

const LIFE = 4;
const folder = process.argv[2];
const read = (name) => readFileSync(path.join(folder, name));
const publicKey = (name) => createPublicKey(read(name));
const jwk = (name, use) => ({ ...publicKey(name).export({ format: 'jwk' }), ...use });
const keys = [
  jwk('rsa.pem', { kid: 'rsa', use: 'sig' }),
  jwk('ec.pem', { kid: 'ec', use: 'sig' }),
];
const subject = new X509Certificate(read('client.crt')).subject;

const client = (id, method, more) => ({
  client_id: id,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  scope: 'cases',
  token_endpoint_auth_method: method,
  ...more,
});
const secret = 's3cret: of & the+client';
const clients = [
  client('post', 'client_secret_post', { client_secret: secret }),
  client('the basic:client', 'client_secret_basic', { client_secret: secret }),
  ...['RS256', 'PS256', 'ES256'].map((algorithm) => client(`jwt-${algorithm}`, 'private_key_jwt', {
    jwks: { keys }, token_endpoint_auth_signing_alg: algorithm,
  })),
  client('tls', 'tls_client_auth', { tls_client_auth_subject_dn: subject }),
];

const state = {};
const reset = () => Object.assign(state, {
  grants: 0, close: 0, last: 0, unauthorized: 0, cases: 0, verified: 0, forged: 0, saved: 0, ids: new Set(),
});
reset();

const server = https.createServer({
  cert: read('server.crt'), key: read('server.key'), requestCert: true, rejectUnauthorized: false,
  keepAliveTimeout: 30000,
});
await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
const base = `https://localhost:${server.address().port}`;

const upstream = http.createServer({ keepAliveTimeout: 30000 });
await new Promise((done) => { upstream.listen(0, '127.0.0.1', done); });

// nginx's $ssl_client_escaped_cert.
const passedOn = (request) => {
  const text = request.headers['x-client-certificate'];
  return text ? new X509Certificate(decodeURIComponent(text)) : undefined;
};
const certificate = (request) => (request.socket.getPeerX509Certificate
  ? request.socket.getPeerX509Certificate() : passedOn(request));
const provider = new Provider(base, {
  clients,
  scopes: ['cases'],
  clientAuthMethods: ['client_secret_post', 'client_secret_basic', 'private_key_jwt', 'tls_client_auth'],
  ttl: { ClientCredentials: LIFE },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    mTLS: {
      enabled: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => certificate(ctx.req),
      certificateAuthorized: (ctx) => certificate(ctx.req)?.subject === subject,
      certificateSubjectMatches: (ctx, property, expected) => certificate(ctx.req)?.subject === expected,
    },
  },
});
provider.on('client_credentials.saved', () => {
  const now = Date.now();
  if (state.grants && now - state.last < (LIFE * 1000) / 2) state.close += 1;
  state.last = now;
  state.grants += 1;
});
provider.on('server_error', (ctx, error) => process.stderr.write(`${error.stack}\n`));
provider.proxy = true; // the scheme that nginx names is the client's
const callback = provider.callback();

const own = new Set(); // tokens that a JWT was exchanged for
const isToken = async (request) => {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!token || withdrawn.has(token)) return false;
  seen.add(token);
  return own.has(token) || Boolean(await provider.ClientCredentials.find(token));
};

const answer = (response, status, body) => {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
};

// The grant of RFC 7523 2.1, for a key that it knows.
const exchange = async (body, response) => {
  const form = new URLSearchParams(body.toString());
  try {
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('grant_type');
    const key = jose.decodeProtectedHeader(form.get('assertion')).alg === 'ES256' ? 'ec.pem' : 'rsa.pem';
    const { payload } = await jose.jwtVerify(form.get('assertion'), publicKey(key), {
      issuer: 'robot@example', audience: `${base}/exchange`, requiredClaims: ['iat', 'exp', 'jti', 'sub'],
    });
    if (payload.sub !== 'ops' || payload.nested?.list?.[1] !== true) throw new Error('claims');
    if (state.ids.has(payload.jti)) throw new Error('jti');
    state.ids.add(payload.jti);
    const token = createHash('sha256').update(payload.jti).digest('base64url');
    own.add(token);
    answer(response, 200, { access_token: token, token_type: 'bearer', expires_in: '3600' });
  } catch (error) {
    answer(response, 400, { error: 'invalid_grant', error_description: error.message });
  }
};

const webhookKey = Buffer.from('a key of Standard Webhooks, 32 b');
const check = (request, body) => {
  try {
    new Webhook(webhookKey.toString('base64')).verify(body, request.headers);
    state.verified += 1;
  } catch (error) {
    state.forged += 1;
  }
};

const save = (request, body) => {
  writeFileSync(path.join(folder, `body-${state.saved}`), Buffer.concat([
    Buffer.from(`${request.headers['x-time'] ?? ''}.`), body]));
  writeFileSync(path.join(folder, `signature-${state.saved}`), request.headers['x-signature'] ?? '');
  state.saved += 1;
};

const seen = new Set(); // tokens that the tracker was shown
const withdrawn = new Set();

const control = (request, response) => {
  if (request.url === '/control/reset') reset();
  if (request.url === '/control/withdraw') seen.forEach((token) => withdrawn.add(token));
  answer(response, 200, { ...state, ids: state.ids.size });
};

const tracker = async (request, body, response) => {
  if (!request.url.startsWith('/open/') && !await isToken(request)) {
    state.unauthorized += 1;
    answer(response, 401, { message: `not authorized: ${request.headers.authorization}` });
    return;
  }
  if (request.url.startsWith('/mtls/') && certificate(request)?.subject !== subject) {
    answer(response, 403, { message: 'no certificate' });
    return;
  }
  if (request.url.startsWith('/open/webhook') && request.method === 'POST') check(request, body);
  if (request.url.startsWith('/open/own') && request.method === 'POST') save(request, body);
  if (request.method === 'POST') state.cases += 1;
  answer(response, 200, { id: state.cases, key: `CASE-${state.cases}` });
};

const serve = (request, response) => {
  if (request.url === '/token') {
    callback(request, response);
    return;
  }
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces);
    const done = request.url === '/exchange' ? exchange(body, response)
      : request.url.startsWith('/control/') ? control(request, response) : tracker(request, body, response);
    done?.catch((error) => { process.stderr.write(`${error.stack}\n`); response.destroy(); });
  });
};
server.on('request', serve);
upstream.on('request', serve);

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdout.write(`${server.address().port} ${upstream.address().port}\n`);
