"use strict";

// System fonts: others would have to come from another host.
const fonts = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif";

Redoc.init(
  new URL("openapi.json", document.baseURI).href,
  {
    theme: {
      typography: { fontFamily: fonts, headings: { fontFamily: fonts }, code: { fontFamily: "ui-monospace, Menlo, Consolas, monospace" } },
    },
  },
  document.getElementById("redoc"),
);
