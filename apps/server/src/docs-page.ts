// The OpenAPI document as one page to browse: no script, no style from elsewhere.

import { ROUTES, type Route } from '#contract';
import { openApiDocument } from './openapi.js';

type Json = Record<string, unknown>;

let page: string | undefined;

export function docsPage(): string {
  page ??= makePage();
  return page;
}

function makePage(): string {
  const { paths } = openApiDocument() as { paths: Record<string, Record<string, Json>> };
  const groups = new Map<string, string[]>();
  for (const route of ROUTES as readonly Route[]) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    const method = route.method === 'WS' ? 'get' : route.method.toLowerCase();
    const operation = paths[path]?.[method] ?? {};
    const [tag = 'operations'] = (operation['tags'] as string[] | undefined) ?? [];
    groups.set(tag, [...(groups.get(tag) ?? []), sectionOf(route, path, operation)]);
  }
  const body = [...groups]
    .map(([tag, sections]) => `<h2 id="${escape(tag)}">${escape(tag)}</h2>${sections.join('')}`)
    .join('');
  const index = [...groups.keys()]
    .map((tag) => `<a href="#${escape(tag)}">${escape(tag)}</a>`)
    .join(' ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nightjar API</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
summary b { display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace; }
summary small { opacity: .75; }
pre { overflow: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem; font-size: .85rem; }
nav a { margin-right: .6rem; }
</style>
</head>
<body>
<h1>Nightjar API</h1>
<p>Sign in with <code>POST /api/auth/login</code>, then send <code>Authorization: Bearer</code> and the
token. The same as a document for tools: <a href="/api/openapi.json">openapi.json</a>.</p>
<nav>${index}</nav>
${body}
</body>
</html>
`;
}

function sectionOf(route: Route, path: string, operation: Json): string {
  const { parameters, requestBody, responses } = operation;
  const parts = { parameters, requestBody, responses };
  const json = JSON.stringify(parts, null, 2);
  return (
    `<details><summary><b>${route.method}</b> <code>${escape(path)}</code> ` +
    `<small>${escape(route.summary)} (${escape(route.role)})</small></summary>` +
    `<pre>${escape(json)}</pre></details>`
  );
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
