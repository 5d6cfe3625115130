// Starts GraphiQL against /graphql of the host that served this page, and no other.
"use strict";

// Shown in the Headers editor until a token is pasted over it. "…" cannot travel in an HTTP header,
// so a value that still ends with it is left out of the request.
const PLACEHOLDER = '{"Authorization": "Bearer …"}';

const WELCOME = `# 下の Headers の「…」を、発行されたトークンに
# 置き換え、▶ (Ctrl+Enter) で実行します。
# スキーマは左下の再取得ボタンで読み直せます。
# 患者の記録の閲覧は、必ず監査記録に残ります。

query {
  __typename
}
`;

// Queries and variables name patients: they live as long as the page, never in the browser's storage.
function storageForThisPage() {
  const items = new Map();
  return {
    get length() {
      return items.size;
    },
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, String(value)),
    removeItem: (name) => void items.delete(name),
    clear: () => items.clear(),
  };
}

function withoutPlaceholder(headers) {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([, value]) => !String(value).endsWith("…")));
}

const send = GraphiQL.createFetcher({ url: "/graphql" });

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: (request, options) => send(request, { ...options, headers: withoutPlaceholder(options?.headers) }),
    defaultQuery: WELCOME,
    defaultHeaders: PLACEHOLDER,
    defaultEditorToolsVisibility: "headers",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    showPersistHeadersSettings: false,
    storage: storageForThisPage(),
    // In place of GraphiQL's own logo, which links to another host.
    children: React.createElement(GraphiQL.Logo, null, "Tsuzuri 綴"),
  }),
);
