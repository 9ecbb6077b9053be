#!/usr/bin/env node
// Prints the newest leaderboard as the chain returns it, in the rows of LEADERBOARD.md.
//
//   node frontend-abi/examples/read-leaderboard.mjs [network | file.json] [ws://…]

import { ApiPromise, WsProvider } from '@polkadot/api';
import { ContractPromise } from '@polkadot/api-contract';
import { leaderboard } from '../index.js';
import { addresses } from '../addresses.js';

const [network = 'local', url] = process.argv.slice(2);
const MMC_DECIMALS = 6;

/** Base units as a decimal number without trailing zeros: 49500000n → "49.5". */
function mmc(units) {
  const digits = units.toString().padStart(MMC_DECIMALS + 1, '0');
  const whole = BigInt(digits.slice(0, -MMC_DECIMALS)).toLocaleString('en-US');
  const fraction = digits.slice(-MMC_DECIMALS).replace(/0+$/, '');
  return fraction ? `${whole}.${fraction}` : whole;
}

/** Calls a message without a transaction and unwraps ink!'s outer result. */
async function read(api, contract, message, ...args) {
  const gasLimit = api.registry.createType('WeightV2', { refTime: 500_000_000_000n, proofSize: 5_000_000n });
  const { result, output } = await contract.query[message](contract.address, { gasLimit, storageDepositLimit: null }, ...args);
  if (result.isErr) throw new Error(`${message}: ${result.asErr.toString()}`);
  return output.asOk ?? output;
}

const deployed = addresses(network);
const provider = new WsProvider(url ?? deployed.url ?? 'ws://127.0.0.1:9944');
const api = await ApiPromise.create({ provider, noInitWarn: true });
try {
  if (api.genesisHash.toHex() !== deployed.genesis) {
    throw new Error(`the chain at ${provider.endpoint} is not the network "${network}": deploy again`);
  }
  const contract = new ContractPromise(api, leaderboard.metadata, deployed.contracts.leaderboard.address);
  const quotes = await read(api, contract, 'leaderboard::ranking');
  console.log('| Rank | Framework | Score | Price | Bid | Ask | Volume 24h |');
  console.log('|------|-----------|-------|-------|-----|-----|------------|');
  quotes.forEach((quote, index) => {
    const big = (field) => quote[field].toBigInt();
    const name = Buffer.from(quote.framework.toU8a(true)).toString();
    const price = mmc(big('score') * big('pricePerPoint'));
    const count = (value) => value.toLocaleString('en-US');
    console.log(`| ${index + 1} | ${name} | ${count(big('score'))} | ${price} MMC | ${mmc(big('bid'))} | ${mmc(big('ask'))} | ${count(big('volume24h'))} |`);
  });
} finally {
  await api.disconnect();
}
