// Finds the compiled form of a module that runs in a process or thread of its own.

/**
 * The URL of `./name.js` beside the caller. A caller that runs from TypeScript source (a test) gets
 * the build's file under `dist/`, because Node starts no TypeScript.
 */
export function compiledModule(name: string, importMetaUrl: string): URL {
  const url = new URL(name, importMetaUrl);
  if (importMetaUrl.endsWith('.ts')) {
    url.pathname = url.pathname.replace(/\/(libs|apps)\/(?!.*\/(libs|apps)\/)/, '/dist/$1/');
  }
  return url;
}
