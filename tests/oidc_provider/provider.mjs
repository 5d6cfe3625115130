// A real OpenID provider with a clinic's system, and a viewer that doctors sign in to. Everything that changes between
// tests comes as one JSON object in the first argument; "ready" on standard output says that it listens.

import { Provider } from "oidc-provider";

const { port, keys, audience, systems, viewer, people } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const scopes =
  "system/DocumentReference.rs system/Condition.crs system/Consent.c user/DocumentReference.rs user/*.rs";

const provider = new Provider(issuer, {
  jwks: { keys },
  clients: [
    ...systems.map(({ client_id, bound, key }) => ({
      client_id,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      jwks: { keys: [key] },
      dpop_bound_access_tokens: bound,
    })),
    {
      client_id: viewer.client_id,
      grant_types: ["authorization_code"],
      response_types: ["code"],
      redirect_uris: [viewer.redirect_uri],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
    },
  ],
  clientAuthMethods: ["private_key_jwt", "none"],
  enabledJWA: { idTokenSigningAlgValues: ["ES256"], clientAuthSigningAlgValues: ["ES256"] },
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  cookies: { keys: ["only of a test"] },
  pkce: { required: () => true },
  scopes: ["openid", ...scopes.split(" ")],
  features: {
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource, client) => ({
        audience: resource,
        scope: scopes,
        accessTokenTTL: systems.find((one) => one.client_id === client.clientId)?.seconds ?? 300,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (_, token) => {
    const system = systems.find((one) => one.client_id === token.clientId);
    return system ? { role: "SYSTEM", facility: system.facility } : people[token.accountId];
  },
});

provider.listen(port, "127.0.0.1", () => console.log("ready"));
