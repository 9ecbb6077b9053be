// The contracts' bundles, code included: what a deployment needs. Apart from the index, because the code is large.

import { existsSync, readFileSync } from 'node:fs';

// In the package its own copy; in the repository the bundles that the copy is made of.
const packed = new URL('./bundles/', import.meta.url);
const folder = existsSync(packed) ? packed : new URL('../contracts/bundles/', import.meta.url);

/** The bundle of a contract: `new CodePromise(api, bundle('token'))` deploys it. */
export function bundle(name) {
  const file = new URL(`${name}.contract`, folder);
  if (!/^\w+$/.test(name) || !existsSync(file)) throw new Error(`there is no contract "${name}"`);
  return JSON.parse(readFileSync(file, 'utf8'));
}
