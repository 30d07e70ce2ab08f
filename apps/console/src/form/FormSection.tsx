// A titled block of fields.

import type { ReactNode } from 'react';
import classes from './Form.module.css';

export function FormSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.section}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
