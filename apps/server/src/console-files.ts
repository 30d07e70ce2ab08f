// Serves the built console: its files as they are, and its page for every address it may have.

import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';

/** What belongs to the API, and never becomes the console's page. */
const NOT_THE_CONSOLE = /^\/(api|internal|healthz|metrics)(\/|$)/;

/** `directory` may appear later: a build that is still under way. */
export function serveConsole(directory: string): RequestHandler {
  const files = express.static(directory, {
    index: false,
    redirect: false,
    dotfiles: 'ignore',
    setHeaders: (response, path) =>
      // Names of assets carry a digest of their content; everything else may change in place.
      response.setHeader(
        'cache-control',
        path.includes(`${sep}assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache',
      ),
  });
  const page = join(directory, 'index.html');
  return (request: Request, response: Response, next: NextFunction) => {
    if (!['GET', 'HEAD'].includes(request.method) || NOT_THE_CONSOLE.test(request.path)) {
      next();
      return;
    }
    files(request, response, (error?: unknown) => {
      const isPage = !request.path.startsWith('/assets/') && existsSync(page);
      if (error !== undefined || !isPage) next(error);
      else response.setHeader('cache-control', 'no-cache').sendFile(page);
    });
  };
}
