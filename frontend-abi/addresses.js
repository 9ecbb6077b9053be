// Where the contracts are, per network: `addresses/<network>.json`, written by the deployment.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const folder = new URL('./addresses/', import.meta.url);

/** The networks whose addresses are known here. */
export function networks() {
  return readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json')).sort();
}

/** The addresses of one network: a name, or the path of a file of the same form. */
export function addresses(network = 'local') {
  const file = network.endsWith('.json') ? network : new URL(`${network}.json`, folder);
  if (!existsSync(file)) {
    throw new Error(`no addresses of network "${network}": deploy to it first (./deploy_paxos.sh writes addresses/local.json)`);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}
