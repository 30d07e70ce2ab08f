// The frame of a page: a header with title, tools and the state of the house, and the content.

import { useEffect, type ReactNode } from 'react';
import { AlarmBar } from './AlarmBar.js';
import { HeaderStatus } from './HeaderStatus.js';
import classes from './Shell.module.css';

interface PageProps {
  readonly title: ReactNode;
  /** For the browser's tab. */
  readonly name: string;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
  /** `fill`: the content takes exactly the screen; `scroll`: it is as long as it needs. */
  readonly layout?: 'fill' | 'scroll';
}

export function Page({ title, name, tools, children, layout = 'scroll' }: PageProps) {
  useEffect(() => {
    document.title = `${name} · Nightjar`;
  }, [name]);
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <h1 className={classes.title}>{title}</h1>
        <div className={classes.tools}>{tools}</div>
        <HeaderStatus />
      </header>
      <AlarmBar />
      <main className={classes.content} data-layout={layout}>
        {children}
      </main>
    </div>
  );
}
