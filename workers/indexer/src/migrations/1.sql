-- Amounts are 16 bytes, the highest first; accounts and hashes 32 bytes; times milliseconds since 1970.

CREATE TABLE identity (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- One row: the newest block, and how much was taken over.
CREATE TABLE cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    block INTEGER NOT NULL, hash BLOB NOT NULL, time_ms INTEGER NOT NULL,
    events INTEGER NOT NULL, trades INTEGER NOT NULL, unknown INTEGER NOT NULL
);

-- Blocks in which something happened.
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY, hash BLOB NOT NULL, parent BLOB NOT NULL, time_ms INTEGER NOT NULL
);

-- Every event as it came, and the accounts that it names.
CREATE TABLE events (
    block INTEGER NOT NULL, idx INTEGER NOT NULL, extrinsic INTEGER,
    contract BLOB NOT NULL, name TEXT, data BLOB NOT NULL,
    PRIMARY KEY (block, idx)
) WITHOUT ROWID;
CREATE TABLE touched (
    account BLOB NOT NULL, block INTEGER NOT NULL, idx INTEGER NOT NULL,
    PRIMARY KEY (account, block, idx)
) WITHOUT ROWID;

-- Token 0 is MMC; the token of market n is n + 1.
CREATE TABLE markets (
    market INTEGER PRIMARY KEY, framework TEXT NOT NULL UNIQUE, token BLOB NOT NULL UNIQUE,
    reserve BLOB NOT NULL, supply BLOB NOT NULL, block INTEGER NOT NULL, time_ms INTEGER NOT NULL
);

CREATE TABLE quotes (
    slot INTEGER NOT NULL, framework TEXT NOT NULL, score BLOB NOT NULL,
    bid BLOB NOT NULL, ask BLOB NOT NULL, time_ms INTEGER NOT NULL, block INTEGER NOT NULL,
    PRIMARY KEY (slot, framework)
) WITHOUT ROWID;

CREATE TABLE trades (
    block INTEGER NOT NULL, idx INTEGER NOT NULL, market INTEGER NOT NULL, side TEXT NOT NULL,
    taker BLOB NOT NULL, maker BLOB, price BLOB NOT NULL, amount BLOB NOT NULL, value BLOB NOT NULL,
    ord INTEGER, time_ms INTEGER NOT NULL,
    PRIMARY KEY (block, idx)
) WITHOUT ROWID;
CREATE INDEX trades_of_market ON trades (market, block, idx);
CREATE INDEX trades_at_the_quote ON trades (market, time_ms) WHERE maker IS NULL;
CREATE TABLE parties (
    account BLOB NOT NULL, block INTEGER NOT NULL, idx INTEGER NOT NULL, market INTEGER NOT NULL,
    PRIMARY KEY (account, block, idx)
) WITHOUT ROWID;
CREATE INDEX parties_of_market ON parties (account, market, block, idx);

CREATE TABLE candles (
    market INTEGER NOT NULL, step_ms INTEGER NOT NULL, start_ms INTEGER NOT NULL,
    open BLOB NOT NULL, high BLOB NOT NULL, low BLOB NOT NULL, close BLOB NOT NULL,
    volume BLOB NOT NULL, value BLOB NOT NULL, trades INTEGER NOT NULL,
    PRIMARY KEY (market, step_ms, start_ms)
) WITHOUT ROWID;

CREATE TABLE orders (
    id INTEGER PRIMARY KEY, market INTEGER NOT NULL, owner BLOB NOT NULL, side TEXT NOT NULL,
    price BLOB NOT NULL, placed BLOB NOT NULL, remaining BLOB NOT NULL, state TEXT NOT NULL,
    block INTEGER NOT NULL, idx INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    changed_block INTEGER NOT NULL, changed_ms INTEGER NOT NULL
);
CREATE INDEX orders_by_state ON orders (state, id);
CREATE INDEX orders_of_market ON orders (market, state, id);
CREATE INDEX orders_of_owner ON orders (owner, state, id);
CREATE INDEX orders_of_owner_and_market ON orders (owner, market, state, id);

CREATE TABLE transfers (
    block INTEGER NOT NULL, idx INTEGER NOT NULL, token INTEGER NOT NULL,
    sender BLOB, receiver BLOB, value BLOB NOT NULL,
    PRIMARY KEY (block, idx)
) WITHOUT ROWID;

-- What the exchange holds for resting orders counts for their owners: in_orders. total is both.
CREATE TABLE holdings (
    account BLOB NOT NULL, token INTEGER NOT NULL,
    amount BLOB NOT NULL, in_orders BLOB NOT NULL, total BLOB NOT NULL,
    PRIMARY KEY (account, token)
) WITHOUT ROWID;
CREATE INDEX holders ON holdings (token, total DESC, account);

CREATE TABLE positions (
    account BLOB NOT NULL, market INTEGER NOT NULL,
    amount BLOB NOT NULL, cost BLOB NOT NULL, paid BLOB NOT NULL, proceeds BLOB NOT NULL,
    cost_sold BLOB NOT NULL, cost_given BLOB NOT NULL,
    PRIMARY KEY (account, market)
) WITHOUT ROWID;

-- What every change of a reserve left in it.
CREATE TABLE reserve_movements (
    block INTEGER NOT NULL, idx INTEGER NOT NULL, market INTEGER NOT NULL, kind TEXT NOT NULL,
    account BLOB NOT NULL, amount BLOB NOT NULL, reserve BLOB NOT NULL,
    PRIMARY KEY (block, idx)
) WITHOUT ROWID;
CREATE INDEX movements_of_market ON reserve_movements (market, block, idx);
