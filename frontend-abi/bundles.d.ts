/** A contract's metadata and, in `source.wasm`, its code in hexadecimal digits. */
export interface Bundle {
  source: { hash: `0x${string}`; wasm: `0x${string}`; language: string; compiler: string };
  contract: { name: string; version: string };
  [key: string]: unknown;
}

/** The bundle of a contract, for `new CodePromise(api, bundle('token'))`. Throws if there is none of that name. */
export declare function bundle(name: string): Bundle;
