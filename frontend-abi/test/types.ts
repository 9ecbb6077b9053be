// Compiled, not run: the generated types fit the contracts.
import type { Contract } from 'dedot/contracts';
import { explain, leaderboard, token, validators } from '../index.js';
import { addresses } from '../addresses.js';
import { bundle } from '../bundles.js';

export async function bid(contract: Contract<leaderboard.LeaderboardContractApi>): Promise<bigint | undefined> {
  const { data } = await contract.query.leaderboardQuote('0x');
  return data?.bid;
}

export const hashes: `0x${string}`[] = [leaderboard.codeHash, token.codeHash, validators.codeHash];
export const where: string | undefined = addresses('local').contracts['leaderboard']?.address;
export const text: string = explain(leaderboard.errors, 'LeaderboardError', 'ContentMismatch');
export const code: `0x${string}` = bundle('token').source.wasm;
