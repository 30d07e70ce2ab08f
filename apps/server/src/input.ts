// What a request brings, checked by the contract's schemas before a controller sees it.

import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { parse } from './problem.js';

/** For `@Body(new Fits(schema))` and `@Query(new Fits(schema))`. */
export class Fits<S extends z.ZodType> implements PipeTransform<unknown, z.output<S>> {
  readonly #schema: S;

  constructor(schema: S) {
    this.#schema = schema;
  }

  transform(value: unknown): z.output<S> {
    return parse(this.#schema, value ?? {});
  }
}
