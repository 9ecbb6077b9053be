#!/usr/bin/env node
// Deploys a token with polkadot.js alone and prints its address.
//
//   node frontend-abi/examples/deploy-token.mjs [ws://…] [NAME SYMBOL DECIMALS SUPPLY]

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { CodePromise } from '@polkadot/api-contract';
import { bundle } from '../bundles.js';

const [url = 'ws://127.0.0.1:9944', ...given] = process.argv.slice(2);
const [name, symbol, decimals, supply] = given.length > 0 ? given : ['Coin', 'COIN', 6, 1_000_000];

const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
try {
  const code = new CodePromise(api, bundle('token'));
  const gasLimit = api.registry.createType('WeightV2', { refTime: 50_000_000_000n, proofSize: 500_000n });
  const salt = crypto.getRandomValues(new Uint8Array(8));
  const deployment = code.tx.new({ gasLimit, salt }, name, symbol, decimals, supply);
  const deployer = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
  const address = await new Promise((resolve, reject) => {
    deployment.signAndSend(deployer, (result) => {
      if (result.dispatchError) reject(new Error(`the chain refused it: ${result.dispatchError}`));
      else if (result.status.isFinalized) resolve(result.contract.address);
    }).catch(reject);
  });
  console.log(`${name} at ${address}, code ${bundle('token').source.hash}`);
} finally {
  await api.disconnect();
}
