// SPDX-License-Identifier: Apache-2.0
//
// Version 1 has the counts, version 2 what becomes of reports, version 3 how many reports a
// destination gets, version 4 which parts of a report have left, version 5 the store's name,
// version 6 the editions of a day, version 7 which mailboxes get a report, how many parts it has
// and how often it was claimed, and what makes the expiry of policies and identities quick.
//
// Days are counted from 1970-01-01, times in seconds from its beginning, UTC.
//
// evaluation is the table that grows. Its rows are numbers and an address: what they have in common
// stands in policy and identity, once, found by a digest. Its key begins with the day, so that a
// day lies together, is read and removed together, and can be a partition of its own.

#include "service/store/migrations_table.hpp"

#include <array>

namespace countersign::service::store {
namespace {

constexpr std::array<const char*, 7> sqlite{{
    R"sql(
CREATE TABLE policy (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: reports refer to it
  digest BLOB NOT NULL UNIQUE,
  domain TEXT NOT NULL,
  body BLOB NOT NULL,
  last_day INTEGER NOT NULL
);
CREATE TABLE identity (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL UNIQUE,
  body BLOB NOT NULL,
  last_day INTEGER NOT NULL
);
CREATE TABLE evaluation (
  day INTEGER NOT NULL,
  policy INTEGER NOT NULL,
  source BLOB NOT NULL,
  identity INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  PRIMARY KEY (day, policy, source, identity)
) WITHOUT ROWID;
CREATE TABLE spool (
  id BLOB PRIMARY KEY,
  position INTEGER NOT NULL,
  seen INTEGER NOT NULL
) WITHOUT ROWID;
)sql",
    R"sql(
CREATE TABLE report (
  day INTEGER NOT NULL,
  policy INTEGER NOT NULL,
  destination TEXT NOT NULL,
  state TEXT NOT NULL,
  owner TEXT NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt INTEGER NOT NULL DEFAULT 0,
  report_id TEXT NOT NULL DEFAULT '',
  changed INTEGER NOT NULL,
  detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (day, policy, destination)
) WITHOUT ROWID;
CREATE INDEX report_by_state ON report (state, next_attempt);
)sql",
    R"sql(
CREATE TABLE destination (
  uri TEXT PRIMARY KEY,
  failures INTEGER NOT NULL DEFAULT 0,
  unusable_until INTEGER NOT NULL DEFAULT 0,
  detail TEXT NOT NULL DEFAULT '',
  day INTEGER NOT NULL DEFAULT 0,
  begun INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL
) WITHOUT ROWID;
)sql",
    R"sql(
ALTER TABLE report ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN division TEXT NOT NULL DEFAULT '';
)sql",
    R"sql(
CREATE TABLE store_name (name TEXT NOT NULL);
INSERT INTO store_name (name) VALUES (lower(hex(randomblob(16))));
)sql",
    R"sql(
CREATE TABLE edition (
  day INTEGER PRIMARY KEY,
  closed INTEGER NOT NULL,     -- editions to which nothing is added any more, from the first on
  closed_at INTEGER NOT NULL   -- when the last of them was closed
);
ALTER TABLE evaluation RENAME TO evaluation_before;
CREATE TABLE evaluation (
  day INTEGER NOT NULL,
  edition INTEGER NOT NULL,
  policy INTEGER NOT NULL,
  source BLOB NOT NULL,
  identity INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  PRIMARY KEY (day, edition, policy, source, identity)
) WITHOUT ROWID;
INSERT INTO evaluation (day, edition, policy, source, identity, messages)
  SELECT day, 1, policy, source, identity, messages FROM evaluation_before;
DROP TABLE evaluation_before;
ALTER TABLE report RENAME TO report_before;
CREATE TABLE report (
  day INTEGER NOT NULL,
  policy INTEGER NOT NULL,
  destination TEXT NOT NULL,
  edition INTEGER NOT NULL,
  state TEXT NOT NULL,
  owner TEXT NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt INTEGER NOT NULL DEFAULT 0,
  report_id TEXT NOT NULL DEFAULT '',
  changed INTEGER NOT NULL,
  detail TEXT NOT NULL DEFAULT '',
  parts INTEGER NOT NULL DEFAULT 0,
  division TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (day, policy, destination, edition)
) WITHOUT ROWID;
INSERT INTO report (day, policy, destination, edition, state, owner, lease_until, attempts,
                    next_attempt, report_id, changed, detail, parts, division)
  SELECT day, policy, destination, 1, state, owner, lease_until, attempts, next_attempt, report_id,
         changed, detail, parts, division
  FROM report_before;
DROP TABLE report_before;
CREATE INDEX report_by_state ON report (state, next_attempt);
-- Of days up to the last one that was reported on, what there is has been told.
INSERT INTO edition (day, closed, closed_at)
  SELECT DISTINCT day, CASE WHEN day <= (SELECT max(day) FROM report) THEN 1 ELSE 0 END, 0
  FROM evaluation;
)sql",
    R"sql(
CREATE INDEX policy_by_last_day ON policy (last_day);
CREATE INDEX identity_by_last_day ON identity (last_day);
ALTER TABLE report ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN parts_in_all INTEGER NOT NULL DEFAULT 0;  -- 0 before it was sent
-- What each line of report is for; of one report a mailbox has one line. In destination, uri is the
-- same mailbox.
CREATE TABLE report_mailbox (
  day INTEGER NOT NULL,
  policy INTEGER NOT NULL,
  edition INTEGER NOT NULL,
  mailbox TEXT NOT NULL,
  destination TEXT NOT NULL,
  PRIMARY KEY (day, policy, edition, mailbox)
) WITHOUT ROWID;
CREATE TRIGGER report_mailbox_goes AFTER DELETE ON report BEGIN
  DELETE FROM report_mailbox
  WHERE day = OLD.day AND policy = OLD.policy AND edition = OLD.edition
    AND destination = OLD.destination;
END;
)sql",
}};

constexpr std::array<const char*, 7> postgresql{{
    R"sql(
CREATE TABLE policy (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,
  domain text NOT NULL,
  body bytea NOT NULL,
  last_day bigint NOT NULL
);
CREATE TABLE identity (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,
  body bytea NOT NULL,
  last_day bigint NOT NULL
);
CREATE TABLE evaluation (
  day integer NOT NULL,
  policy bigint NOT NULL,
  source bytea NOT NULL,
  identity bigint NOT NULL,
  messages bigint NOT NULL,
  PRIMARY KEY (day, policy, source, identity)
);
CREATE TABLE spool (
  id bytea PRIMARY KEY,
  position bigint NOT NULL,
  seen bigint NOT NULL
);
)sql",
    R"sql(
CREATE TABLE report (
  day integer NOT NULL,
  policy bigint NOT NULL,
  destination text NOT NULL,
  state text NOT NULL,
  owner text NOT NULL DEFAULT '',
  lease_until bigint NOT NULL DEFAULT 0,
  attempts bigint NOT NULL DEFAULT 0,
  next_attempt bigint NOT NULL DEFAULT 0,
  report_id text NOT NULL DEFAULT '',
  changed bigint NOT NULL,
  detail text NOT NULL DEFAULT '',
  PRIMARY KEY (day, policy, destination)
);
CREATE INDEX report_by_state ON report (state, next_attempt);
)sql",
    R"sql(
CREATE TABLE destination (
  uri text PRIMARY KEY,
  failures bigint NOT NULL DEFAULT 0,
  unusable_until bigint NOT NULL DEFAULT 0,
  detail text NOT NULL DEFAULT '',
  day integer NOT NULL DEFAULT 0,
  begun bigint NOT NULL DEFAULT 0,
  changed bigint NOT NULL
);
)sql",
    R"sql(
ALTER TABLE report ADD COLUMN parts bigint NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN division text NOT NULL DEFAULT '';
)sql",
    R"sql(
CREATE TABLE store_name (name text NOT NULL);
INSERT INTO store_name (name) VALUES (gen_random_uuid()::text);
)sql",
    R"sql(
CREATE TABLE edition (
  day integer PRIMARY KEY,
  closed bigint NOT NULL,     -- editions to which nothing is added any more, from the first on
  closed_at bigint NOT NULL   -- when the last of them was closed
);
ALTER TABLE evaluation ADD COLUMN edition integer NOT NULL DEFAULT 1;
ALTER TABLE evaluation ALTER COLUMN edition DROP DEFAULT;
ALTER TABLE evaluation DROP CONSTRAINT evaluation_pkey;
ALTER TABLE evaluation ADD PRIMARY KEY (day, edition, policy, source, identity);
ALTER TABLE report ADD COLUMN edition integer NOT NULL DEFAULT 1;
ALTER TABLE report ALTER COLUMN edition DROP DEFAULT;
ALTER TABLE report DROP CONSTRAINT report_pkey;
ALTER TABLE report ADD PRIMARY KEY (day, policy, destination, edition);
-- Of days up to the last one that was reported on, what there is has been told.
INSERT INTO edition (day, closed, closed_at)
  SELECT DISTINCT day, CASE WHEN day <= (SELECT max(day) FROM report) THEN 1 ELSE 0 END, 0
  FROM evaluation;
)sql",
    R"sql(
CREATE INDEX policy_by_last_day ON policy (last_day);
CREATE INDEX identity_by_last_day ON identity (last_day);
ALTER TABLE report ADD COLUMN claims bigint NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN parts_in_all bigint NOT NULL DEFAULT 0;  -- 0 before it was sent
-- What each line of report is for; of one report a mailbox has one line. In destination, uri is the
-- same mailbox.
CREATE TABLE report_mailbox (
  day integer NOT NULL,
  policy bigint NOT NULL,
  edition integer NOT NULL,
  mailbox text NOT NULL,
  destination text NOT NULL,
  PRIMARY KEY (day, policy, edition, mailbox),
  FOREIGN KEY (day, policy, destination, edition)
    REFERENCES report (day, policy, destination, edition) ON DELETE CASCADE
);
)sql",
}};

}  // namespace

std::span<const char* const> sqlite_migrations() { return sqlite; }

std::span<const char* const> postgresql_migrations() { return postgresql; }

}  // namespace countersign::service::store
