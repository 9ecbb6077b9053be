export interface Deployed {
  /** SS58 address. */
  address: string;
  /** Hash of its code. */
  code_hash: `0x${string}`;
  /** The block in which it was created. */
  block: number;
}

export interface Addresses {
  network: string;
  /** Genesis hash of the chain. */
  genesis: `0x${string}`;
  /** WebSocket address of a node. */
  url?: string;
  contracts: Record<string, Deployed>;
}

/** The networks whose addresses are known here. */
export declare function networks(): string[];
/** The addresses of one network (default `local`), or of a file. Throws if there are none. */
export declare function addresses(network?: string): Addresses;
