export * from './generated/index.js';

/** Error enums of a contract: type name → variant → what it means. */
export type ErrorTable = Record<string, Record<string, ErrorEntry>>;

export interface ErrorEntry {
  /** SCALE index of the variant. */
  index: number;
  /** What it means, in a sentence. */
  message: string;
  /** The error types that it wraps. */
  inner: string[];
}

/** The text of a contract's error, nested ones included. */
export declare function explain(errors: ErrorTable, type: string, value: unknown): string;
