// Amazon Cognito for the tests: oidc-provider, a certified OpenID Connect provider, at Cognito's paths and with its habit of
// writing booleans as words. `node cognito.js PORT CLIENT_ID CLIENT_SECRET`. PUT /users/<login> with claims says who somebody is.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [port, clientId, clientSecret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = new Map();

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      token_endpoint_auth_method: "client_secret_post",
      // Of a native client, the port of a loopback address may be any (RFC 8252, 7.3): each test's server has its own.
      application_type: "native",
      redirect_uris: ["http://127.0.0.1/accounts/amazon-cognito/login/callback/"],
    },
  ],
  routes: { authorization: "/oauth2/authorize", token: "/oauth2/token", userinfo: "/oauth2/userInfo" },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "given_name", "family_name"] },
  pkce: { required: () => true },
  cookies: { keys: ["of no worth"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
});

const answer = provider.callback();
createServer((request, response) => {
  const login = /^\/users\/(.+)$/.exec(request.url ?? "");
  if (request.method !== "PUT" || !login) {
    answer(request, response);
    return;
  }
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    people.set(decodeURIComponent(login[1]), JSON.parse(Buffer.concat(parts).toString()));
    response.writeHead(204).end();
  });
}).listen(Number(port), "127.0.0.1");
