// SPDX-License-Identifier: Apache-2.0
//
// The table itself: data. Add a member to Settings, a row here, and the readers and the documents
// know it.

#include "service/config/settings_table.hpp"

#include <array>

namespace countersign::service::config {
namespace {

constexpr auto section_rows = std::to_array<Section>({
    {"daemon",
     "Where the daemon listens, who it is and how it lives. A reload does not change "
     "these."},
    {"log",
     "What is logged, and where. A reload changes all but syslog, stderr, facility and name."},
    {"signing", "Whose mail is signed, by which keys, and how."},
    {"signing.logins",
     "As whom those who log in to the MTA may send: before a key is chosen, the login, every "
     "address "
     "in From, and MAIL FROM must agree. An empty MAIL FROM agrees with every login; Sender and "
     "Reply-To are not looked at. It holds for every login, on an internal host too, and for "
     "nobody "
     "who has not logged in."},
    {"judging", "How mail that is not ours is judged. signing.mode says whether it is."},
    {"judging.results",
     "The Authentication-Results field that is added, and what is removed of what a message brings "
     "along."},
    {"judging.trust",
     "Whose mail is let through though DMARC fails. It is judged and its results are written all "
     "the same."},
    {"judging.replay",
     "When mail is noticed that is sent again and again under one signature. It is counted in the "
     "memory of this host, and by default no more than that is done."},
    {"judging.actions",
     "What is done with a message for what was found. Of several actions the hardest is carried "
     "out: accept, quarantine, tempfail, reject, discard, in this order."},
    {"policy_service",
     "How Postfix is answered when it asks about SPF before a message comes "
     "(check_policy_service), "
     "beside the milter or in place of it. Off without a socket. A reload changes all but the "
     "sockets."},
    {"sealing",
     "The ARC seal on mail that others wrote and that is handed on, so that the next host can "
     "learn "
     "what was found here (RFC 8617). Nothing is sealed unless judged or returned says so."},
    {"dns", "Where DNS answers come from."},
    {"store",
     "Where judged messages are counted, for reports. Nothing is stored until store.path or "
     "store.connection says where. Only a restart puts a change in force."},
    {"control",
     "How a running daemon is asked what it does: \"countersign explain\" shows what became of a "
     "message, and why."},
    {"metrics", "Numbers for Prometheus, and health, over HTTP. Only a restart changes these."},
    {"reports",
     "Aggregate reports to the owners of domains (RFC 9990), made of what is stored. Only a "
     "restart "
     "puts a change in force."},
    {"reports.failures",
     "Reports of single messages that fail, to owners of domains who ask for them (RFC 9991). They "
     "are about people: off by default. They need reports.from and a key that signs for its "
     "domain, "
     "and leave by the MTA that [reports] names. A reload changes whose mail is told of, and how "
     "much of it: privacy, never, redacted, full_headers, on_none. The rest takes a restart."},
    {"limits", "Bounds on what a peer can make the daemon do."},
});

using S = Settings;

const Setting rows[] = {
    // --- daemon ---
    {"daemon.sockets",
     "Where the MTA connects: \"inet:8891@localhost\", \"inet6:8891@[::1]\", "
     "\"local:/run/countersign/milter.sock\". Several sockets are served at once.",
     [](S& s) -> Slot { return &s.daemon.sockets; }},
    {"daemon.user",
     "The user to become once sockets are open and keys are read, as \"user\" or \"user:group\". "
     "Without it the daemon stays who started it.",
     [](S& s) -> Slot { return &s.daemon.user; }},
    {"daemon.umask",
     "Permission bits that files and sockets do not get, in octal. \"0007\" lets the daemon's "
     "group, to which the MTA's user should belong, write to the socket.",
     [](S& s) -> Slot { return &s.daemon.umask; }},
    {"daemon.pid_file", "The file that holds the process id while the daemon runs.",
     [](S& s) -> Slot { return &s.daemon.pid_file; }},
    {"daemon.background", "Go to the background once the daemon answers. Not needed under systemd.",
     [](S& s) -> Slot { return &s.daemon.background; }},
    {"daemon.base_directory",
     "The working directory. Relative paths in these settings begin there.",
     [](S& s) -> Slot { return &s.daemon.base_directory; }},
    {"daemon.root_directory",
     "Make this directory the root of the file system after start (chroot). Needs root.",
     [](S& s) -> Slot { return &s.daemon.root_directory; }},
    {"daemon.workers",
     "Threads that do the work; 0 means one for each core.",
     [](S& s) -> Slot { return &s.daemon.workers; },
     {0, 1'024}},
    {"daemon.restarts",
     "Supervise the daemon and restart it when it ends unexpectedly. Not needed under systemd.",
     [](S& s) -> Slot { return &s.daemon.restarts; }},
    {"daemon.restarts_max", "Restarts after which the supervisor gives up; 0 means never.",
     [](S& s) -> Slot { return &s.daemon.restarts_max; }},
    {"daemon.restart_rate",
     "The supervisor gives up when there are more restarts than this in that time: \"10/1h\".",
     [](S& s) -> Slot { return &s.daemon.restart_rate; }},
    {"daemon.core_dumps", "Ask the system for a core file after a crash, a change of user or not.",
     [](S& s) -> Slot { return &s.daemon.core_dumps; }},
    {"daemon.stop_timeout",
     "How long messages in flight may take to finish when the daemon stops.",
     [](S& s) -> Slot { return &s.daemon.stop_timeout; },
     {0, 3'600}},

    // --- log ---
    {"log.syslog", "Log to syslog.", [](S& s) -> Slot { return &s.log.to_syslog; }},
    {"log.stderr", "Log to standard error, which systemd and containers collect.",
     [](S& s) -> Slot { return &s.log.to_stderr; }},
    {"log.facility", "The syslog facility.", [](S& s) -> Slot { return &s.log.syslog_facility; }},
    {"log.name", "The name that syslog lines begin with.",
     [](S& s) -> Slot { return &s.log.syslog_name; }},
    {"log.format", "How a line is written: key=value pairs, or one JSON object a line.",
     [](S& s) -> Slot { return &s.log.format; }},
    {"log.level", "Events that matter less than this are left out.",
     [](S& s) -> Slot { return &s.log.level; }},
    {"log.successes", "Write a line for each message that was signed.",
     [](S& s) -> Slot { return &s.log.successes; }},
    {"log.explains",
     "Write for each message why it was signed or not: which host list, macro, login or table "
     "line decided.",
     [](S& s) -> Slot { return &s.log.explains; }},
    {"log.queue_id",
     "Write the queue id of the MTA on the lines about messages. \"countersign explain\" finds a "
     "message by it all the same.",
     [](S& s) -> Slot { return &s.log.queue_id; }},

    // --- signing ---
    {"signing.mode", "sign: sign our own mail. verify: judge the mail of all others. both: both.",
     [](S& s) -> Slot { return &s.signing.mode; }},
    {"signing.domain",
     "One [[signing.domain]] table for each domain: name (required), keys (required: a list of "
     "{ selector = \"…\", file = \"…\" }), subdomains (sign for subdomains too, with the name of "
     "this domain; default false). All keys sign, RSA first.",
     [](S& s) -> Slot { return &s.signing.domains; }},
    {"signing.key_table",
     "Instead of [[signing.domain]]: a KeyTable as OpenDKIM reads it, as a data set or as a list "
     "of its lines: \"name domain:selector:/path\".",
     [](S& s) -> Slot { return &s.signing.key_table; }},
    {"signing.signing_table",
     "The SigningTable that goes with key_table: \"pattern name\". Lines that are written out "
     "here are read as in a refile: *@example.org matches all of example.org.",
     [](S& s) -> Slot { return &s.signing.signing_table; }},
    {"signing.multiple_signatures",
     "Every line of the SigningTable that matches signs, not the first alone.",
     [](S& s) -> Slot { return &s.signing.multiple_signatures; }},
    {"signing.safe_keys_required",
     "Refuse a key file that others than the daemon's user and root can read or replace.",
     [](S& s) -> Slot { return &s.signing.safe_keys_required; }},
    {"signing.key_bits_min",
     "RSA keys shorter than this do not sign. Receivers refuse keys below 1024 (RFC 8301 §3.2).",
     [](S& s) -> Slot { return &s.signing.key_bits_min; },
     {1'024, 8'192}},
    {"signing.internal_hosts",
     "Clients whose mail is ours: addresses, networks, host names, \".domain\" for all below a "
     "domain, \"!\" in front to exclude. The most specific entry decides.",
     [](S& s) -> Slot { return &s.signing.internal_hosts; }},
    {"signing.authenticated_is_ours",
     "Mail of clients that logged in to the MTA is ours, wherever they are.",
     [](S& s) -> Slot { return &s.signing.authenticated_is_ours; }},
    {"signing.mta_names",
     "Listeners of the MTA whose mail is ours, by {daemon_name}: Postfix takes the name from "
     "milter_macro_daemon_name.",
     [](S& s) -> Slot { return &s.signing.mta_names; }},
    {"signing.macros",
     "Macros of the MTA that mark mail as ours: \"name\" when it is set at all, \"name=one|two\" "
     "when it has one of these values.",
     [](S& s) -> Slot { return &s.signing.macros; }},
    {"signing.external_ignored",
     "Clients outside that may use our domains without a line in the log. Their mail is not "
     "signed.",
     [](S& s) -> Slot { return &s.signing.external_ignored; }},
    {"signing.peers",
     "Clients whose mail is neither signed nor judged; on_peer says what is done with it.",
     [](S& s) -> Slot { return &s.signing.peers; }},
    {"signing.exempt_domains", "Author domains whose mail is passed without a look.",
     [](S& s) -> Slot { return &s.signing.exempt_domains; }},
    {"signing.unsigned_recipients",
     "A message to one of these addresses, domains or \".domain\" suffixes is not signed.",
     [](S& s) -> Slot { return &s.signing.unsigned_recipients; }},
    {"signing.sender_headers",
     "Where the address that is looked up in the tables is found: the first of these fields that "
     "the message has.",
     [](S& s) -> Slot { return &s.signing.sender_headers; }},
    {"signing.canonicalization",
     "How header and body are brought into a form that survives transport (RFC 6376 §3.4).",
     [](S& s) -> Slot { return &s.signing.canonicalization; }},
    {"signing.signed_fields",
     "Header fields to sign. Empty: those that RFC 6376 §5.4.1 advises, and those of MIME and of "
     "mailing lists. An entry \"*\" stands for that list, \"+name\" and \"-name\" then change it. "
     "From is always signed.",
     [](S& s) -> Slot { return &s.signing.signed_fields; }},
    {"signing.omitted_fields", "Header fields never to sign, whatever signed_fields says.",
     [](S& s) -> Slot { return &s.signing.omitted_fields; }},
    {"signing.oversigned_fields",
     "Header fields that nobody may add on the way, named once more than the message has them. "
     "Empty: From, To, Cc, Subject, Date, Reply-To and others (RFC 6376 §8.15); an entry \".\" "
     "alone: none.",
     [](S& s) -> Slot { return &s.signing.oversigned_fields; }},
    {"signing.lifetime",
     "How long a signature is valid (x=); none is written without it.",
     [](S& s) -> Slot { return &s.signing.lifetime; },
     {1, 31'536'000}},
    {"signing.key_lifetime",
     "How long a private key is to be used, from when its file was written. Metrics tell when the "
     "first of the keys is due for a new one, and a start or a reload warns of those that are.",
     [](S& s) -> Slot { return &s.signing.key_lifetime; },
     {3'600, 315'360'000}},
    {"signing.copies_fields",
     "Copy the signed fields into the signature (z=), to find out what "
     "changes them on the way.",
     [](S& s) -> Slot { return &s.signing.copies_fields; }},
    {"signing.requests_reports", "Ask receivers for reports of failures (r=y, RFC 6651 §3.2).",
     [](S& s) -> Slot { return &s.signing.requests_reports; }},
    {"signing.removes_old_signatures",
     "Remove the DKIM signatures that a message already has when it is signed.",
     [](S& s) -> Slot { return &s.signing.removes_old_signatures; }},
    {"signing.fixes_line_ends",
     "Sign a bare CR or LF in the body as CRLF, for an MTA that will make one of it.",
     [](S& s) -> Slot { return &s.signing.fixes_line_ends; }},
    {"signing.requires_headers",
     "Reject mail that has header fields more or less often than RFC 5322 §3.6 says.",
     [](S& s) -> Slot { return &s.signing.requires_headers; }},
    {"signing.strict_headers", "Pass mail that breaks these counts as it is, without a signature.",
     [](S& s) -> Slot { return &s.signing.strict_headers; }},
    {"signing.software_header", "Add a DKIM-Filter field with our name and version.",
     [](S& s) -> Slot { return &s.signing.software_header; }},
    {"signing.on_bad_author",
     "What is done with mail whose From is missing, repeated or unreadable; mail from outside is "
     "judged besides, and the more severe of the two is done. It is never signed.",
     [](S& s) -> Slot { return &s.signing.on_bad_author; }},
    {"signing.on_signing_error",
     "What is done with mail that should be signed and cannot: its key is not there.",
     [](S& s) -> Slot { return &s.signing.on_signing_error; }},
    {"signing.on_limit",
     "What is done with mail whose header passes the limits below; mail from outside is judged "
     "besides, without any signature, and the more severe of the two is done.",
     [](S& s) -> Slot { return &s.signing.on_limit; }},
    {"signing.on_peer",
     "What is done with mail of the clients in peers, which is neither signed nor judged; MAIL is "
     "answered with it. Mail that sealing.header_checks leaves out passes in any case.",
     [](S& s) -> Slot { return &s.signing.on_peer; }},

    // --- signing, as other programs configure it ---
    {"signing.single.domains",
     "",
     [](S& s) -> Slot { return &s.signing.single.domains; },
     {},
     Scope::imported},
    {"signing.single.selector",
     "",
     [](S& s) -> Slot { return &s.signing.single.selector; },
     {},
     Scope::imported},
    {"signing.single.key_file",
     "",
     [](S& s) -> Slot { return &s.signing.single.key_file; },
     {},
     Scope::imported},
    {"signing.single.subdomains",
     "",
     [](S& s) -> Slot { return &s.signing.single.subdomains; },
     {},
     Scope::imported},
    {"signing.second_key_table",
     "",
     [](S& s) -> Slot { return &s.signing.second_key_table; },
     {},
     Scope::imported},
    {"signing.signed_octets_max",
     "",
     [](S& s) -> Slot { return &s.signing.signed_octets_max; },
     {},
     Scope::imported},
    {"signing.allows_body_length",
     "",
     [](S& s) -> Slot { return &s.signing.allows_body_length; },
     {},
     Scope::imported},

    // --- signing.logins ---
    {"signing.logins.bound",
     "Sign the mail of those who logged in only under addresses that they may use. Settings of "
     "OpenDKIM and others, which know nothing of it, leave it off.",
     [](S& s) -> Slot { return &s.signing.logins.bound; }},
    {"signing.logins.table",
     "Who may use what, as a data set or as a list of its lines: \"login address-or-domain …\". "
     "The "
     "login is whole, or *@domain, *@.domain for what is below one, *@* for all that have a "
     "domain, "
     "* for all; the most specific decides. What it may use is user@domain, domain, .domain for "
     "what is below it, or * for everything; %d stands for the domain of the login, %s for the "
     "login. Case does not count. A login that no line matches may use nothing. Empty: the two "
     "lines \"*@* %d\" and \"* *\": a login that is an address may use its own domain, and one "
     "that "
     "has no domain whatever the tables sign.",
     [](S& s) -> Slot { return &s.signing.logins.table; }},
    {"signing.logins.on_mismatch",
     "What is done where they do not agree. unsigned: the message goes out without a signature. "
     "fallback: it is signed by the fallback. reject: it is refused with 550 5.7.1.",
     [](S& s) -> Slot { return &s.signing.logins.on_mismatch; }},
    {"signing.logins.fallback",
     "Who signs then: the name of a key of key_table, or a domain whose keys then all sign. It "
     "must "
     "be a domain that no customer writes as. It never signs for an author in whose domain it "
     "would "
     "vouch for the message: where the last two labels of both are the same.",
     [](S& s) -> Slot { return &s.signing.logins.fallback; }},
    {"signing.logins.fallback_signer",
     "Who the fallback says that he is (i=): @domain or user@domain, in or below its domain.",
     [](S& s) -> Slot { return &s.signing.logins.fallback_signer; }},
    {"signing.logins.shadow", "Log what does not agree, and sign as if it did: to try a table out.",
     [](S& s) -> Slot { return &s.signing.logins.shadow; }},

    // --- judging ---
    {"judging.spf",
     "Check whether the client may send for the domain of MAIL FROM, or of HELO (RFC 7208).",
     [](S& s) -> Slot { return &s.judging.spf; }},
    {"judging.dmarc",
     "Check whether the owner of the domain in From vouches for the message, and what is asked for "
     "when not (RFC 9989). It needs spf to find all that is legitimate.",
     [](S& s) -> Slot { return &s.judging.dmarc; }},
    {"judging.dmarc_discovery",
     "How the organization of a domain is found for DMARC. treewalk: in DNS (RFC 9989). psl: by "
     "the "
     "public suffix list (RFC 7489), for those who must agree with receivers that still do so. "
     "Records are read as RFC 9989 says either way: pct= does not count.",
     [](S& s) -> Slot { return &s.judging.dmarc_discovery; }},
    {"judging.public_suffix_list",
     "The file with the public suffix list that dmarc_discovery = \"psl\" goes by; it is read "
     "again "
     "at each reload. Empty: /usr/share/publicsuffix/public_suffix_list.dat, or, where that is "
     "missing, the list that came with libpsl.",
     [](S& s) -> Slot { return &s.judging.public_suffix_list; }},
    {"judging.arc", "Check the seals of those who forwarded the message (RFC 8617).",
     [](S& s) -> Slot { return &s.judging.arc; }},
    {"judging.iprev", "Check whether the client's name leads back to its address (RFC 8601 §3).",
     [](S& s) -> Slot { return &s.judging.iprev; }},
    {"judging.accepts_partly_signed_body",
     "Let a DKIM signature pass whose l= leaves the end of the body unsigned. DMARC does not count "
     "it either way.",
     [](S& s) -> Slot { return &s.judging.accepts_partly_signed_body; }},
    {"judging.key_bits_min",
     "Signatures and seals whose RSA keys have fewer bits never pass. RFC 8301 §3.2 has 1024.",
     [](S& s) -> Slot { return &s.judging.key_bits_min; },
     {1'024, 16'384}},
    {"judging.signatures_max",
     "DKIM signatures of one message that are verified.",
     [](S& s) -> Slot { return &s.judging.signatures_max; },
     {0, 1'000}},
    {"judging.clock_drift",
     "How far the clocks of signers may differ from ours.",
     [](S& s) -> Slot { return &s.judging.clock_drift; },
     {0, 86'400}},
    {"judging.spf_void_lookups_max",
     "Questions of one SPF check to which DNS may have no answer (RFC 7208 §4.6.4).",
     [](S& s) -> Slot { return &s.judging.spf_void_lookups_max; },
     {0, 10}},
    {"judging.unjudged",
     "Clients whose mail is not judged at all, written as signing.internal_hosts is.",
     [](S& s) -> Slot { return &s.judging.unjudged; }},
    {"judging.spf_skipped",
     "Clients for which SPF is not checked: relays of our own through which the mail of others "
     "comes in.",
     [](S& s) -> Slot { return &s.judging.spf_skipped; }},
    {"judging.spf_shared",
     "Clients in networks that strangers send from as well: clouds, shared hosts. A pass of SPF is "
     "told there and does not count for DMARC. Empty: every pass counts.",
     [](S& s) -> Slot { return &s.judging.spf_shared; }},
    {"judging.fields_to_be_signed",
     "Header fields that a valid DKIM signature must cover as often as the message has them; "
     "otherwise its result is policy and DMARC does not count it. From always is.",
     [](S& s) -> Slot { return &s.judging.fields_to_be_signed; }},
    {"judging.third_party_signers",
     "Domains whose DKIM signatures are taken though the author's domain is another. What others "
     "sign has the result policy then. Empty: every valid signature is taken.",
     [](S& s) -> Slot { return &s.judging.third_party_signers; }},
    {"judging.receiver", "Our name, as we tell it to others. Empty: the host name.",
     [](S& s) -> Slot { return &s.judging.receiver; }},
    {"judging.help",
     "Stands behind the text of a reply that refuses mail, like \"see https://example.org/why\". "
     "In it %s becomes the domain of the author.",
     [](S& s) -> Slot { return &s.judging.help; }},
    {"judging.shadow", "Judge and log everything, and change nothing: no header field, no action.",
     [](S& s) -> Slot { return &s.judging.shadow; }},

    {"judging.macros",
     "Macros of the MTA that mark mail as a stranger's, whatever else would make it ours: "
     "\"name\", "
     "or \"name=value|value\".",
     [](S& s) -> Slot { return &s.judging.macros; }},
    {"judging.copies_failures_to",
     "An address that gets a copy of each message that fails DMARC where its owner asks for "
     "quarantine or rejection, and that is not refused, as one more recipient of it.",
     [](S& s) -> Slot { return &s.judging.copies_failures_to; }},

    // --- judging.results ---
    {"judging.results.authserv_id",
     "Who judged: the name that Authentication-Results begins with (RFC 8601 §2.5). All hosts that "
     "trust each other may share one. Empty: the host name.",
     [](S& s) -> Slot { return &s.judging.results.authserv_id; }},
    {"judging.results.authserv_id_with_job_id", "Write the queue id behind it, as \"name/id\".",
     [](S& s) -> Slot { return &s.judging.results.authserv_id_with_job_id; }},
    {"judging.results.removed_ids",
     "Names of other hosts whose Authentication-Results fields are removed besides those that "
     "claim our own.",
     [](S& s) -> Slot { return &s.judging.results.removed_ids; }},
    {"judging.results.removes_all",
     "Remove every Authentication-Results field that a message brings along.",
     [](S& s) -> Slot { return &s.judging.results.removes_all; }},
    {"judging.results.keeps_all",
     "Remove none, not even those that claim our name. Whoever reads mail behind us can then be "
     "lied to.",
     [](S& s) -> Slot { return &s.judging.results.keeps_all; }},
    {"judging.results.removes_bimi",
     "Remove BIMI-Location, BIMI-Indicator and BIMI-Logo-Preference fields, which only a receiver "
     "may write.",
     [](S& s) -> Slot { return &s.judging.results.removes_bimi; }},
    {"judging.results.comments",
     "Write reasons for people, in parentheses. Some programs misread them.",
     [](S& s) -> Slot { return &s.judging.results.comments; }},
    {"judging.results.signature_values",
     "Write the beginning of each signature (header.b), which tells several of one domain apart.",
     [](S& s) -> Slot { return &s.judging.results.signature_values; }},
    {"judging.results.received_spf", "Write a Received-SPF field too (RFC 7208 §9.1).",
     [](S& s) -> Slot { return &s.judging.results.received_spf; }},

    {"judging.results.remote_ip",
     "Write the client's address behind the result of ARC (smtp.remote-ip).",
     [](S& s) -> Slot { return &s.judging.results.remote_ip; }},
    {"judging.results.arc_chain",
     "Write the domains of all seals behind the result of ARC (arc.chain), the newest first, for "
     "programs that read it.",
     [](S& s) -> Slot { return &s.judging.results.arc_chain; }},
    {"judging.results.software_header", "Add a DMARC-Filter field with our name and version.",
     [](S& s) -> Slot { return &s.judging.results.software_header; }},

    // --- judging.trust ---
    {"judging.trust.networks", "Clients whose mail is let through though DMARC fails.",
     [](S& s) -> Slot { return &s.judging.trust.networks; }},
    {"judging.trust.author_domains",
     "Domains of From whose mail is let through though DMARC fails, whoever sends it.",
     [](S& s) -> Slot { return &s.judging.trust.author_domains; }},
    {"judging.trust.forwarders",
     "Domains of forwarders, found by SPF or DKIM, whose mail is let through though DMARC fails.",
     [](S& s) -> Slot { return &s.judging.trust.forwarders; }},
    {"judging.trust.sealers",
     "Domains whose ARC seals are believed: what they found when the message came to them counts.",
     [](S& s) -> Slot { return &s.judging.trust.sealers; }},
    {"judging.trust.authenticated",
     "Let mail through of clients that logged in, though DMARC fails.",
     [](S& s) -> Slot { return &s.judging.trust.authenticated; }},

    // --- judging.replay ---
    {"judging.replay.window",
     "For how long a signature is remembered from its first message on; 0: nothing is counted.",
     [](S& s) -> Slot { return &s.judging.replay.window; },
     {0, 604'800}},
    {"judging.replay.recipients",
     "Recipients that one signature may come to meanwhile. What judging.actions.replayed says is "
     "done from the next one on.",
     [](S& s) -> Slot { return &s.judging.replay.recipients; },
     {1, 10'000}},
    {"judging.replay.signatures",
     "Signatures that are remembered at a time, 200 octets each; the oldest are forgotten for new "
     "ones.",
     [](S& s) -> Slot { return &s.judging.replay.signatures; },
     {100, 100'000'000}},

    // --- judging.actions ---
    {"judging.actions.ambiguous",
     "It cannot be told whose mail it is: From is missing, repeated, or can be read in two ways.",
     [](S& s) -> Slot { return &s.judging.actions.ambiguous; }},
    {"judging.actions.bare_line_end", "The body has a CR or LF that stands alone, or NUL.",
     [](S& s) -> Slot { return &s.judging.actions.bare_line_end; }},
    {"judging.actions.dmarc_quarantine",
     "DMARC fails and the owner of the domain asks for quarantine.",
     [](S& s) -> Slot { return &s.judging.actions.dmarc_quarantine; }},
    {"judging.actions.dmarc_reject",
     "DMARC fails and the owner asks for reject. quarantine: never more than that. corroborated: "
     "reject when something else speaks against the message too, else quarantine. reject: always.",
     [](S& s) -> Slot { return &s.judging.actions.dmarc_reject; }},
    {"judging.actions.dmarc_temperror", "DNS does not tell whether there is a DMARC policy.",
     [](S& s) -> Slot { return &s.judging.actions.dmarc_temperror; }},
    {"judging.actions.dmarc_permerror", "There is a DMARC record that cannot be read.",
     [](S& s) -> Slot { return &s.judging.actions.dmarc_permerror; }},
    {"judging.actions.spf_fail", "SPF says fail, and DMARC does not pass.",
     [](S& s) -> Slot { return &s.judging.actions.spf_fail; }},
    {"judging.actions.spf_softfail", "SPF says softfail, and DMARC does not pass.",
     [](S& s) -> Slot { return &s.judging.actions.spf_softfail; }},
    {"judging.actions.spf_temperror", "DNS does not tell what SPF says, and DMARC does not pass.",
     [](S& s) -> Slot { return &s.judging.actions.spf_temperror; }},
    {"judging.actions.spf_permerror", "The SPF record cannot be read, and DMARC does not pass.",
     [](S& s) -> Slot { return &s.judging.actions.spf_permerror; }},
    {"judging.actions.helo_fail", "SPF says fail for the name that the client greeted with.",
     [](S& s) -> Slot { return &s.judging.actions.helo_fail; }},
    {"judging.actions.no_signature", "There is no DKIM signature.",
     [](S& s) -> Slot { return &s.judging.actions.no_signature; }},
    {"judging.actions.bad_signature", "There are DKIM signatures, and none passes.",
     [](S& s) -> Slot { return &s.judging.actions.bad_signature; }},
    {"judging.actions.key_not_found", "The same, because a key is not published.",
     [](S& s) -> Slot { return &s.judging.actions.key_not_found; }},
    {"judging.actions.dns_error", "The same, because DNS does not answer.",
     [](S& s) -> Slot { return &s.judging.actions.dns_error; }},
    {"judging.actions.bad_key",
     "A key, or the proof that there is none, is forged according to DNSSEC.",
     [](S& s) -> Slot { return &s.judging.actions.bad_key; }},
    {"judging.actions.unauthenticated", "Neither SPF nor DKIM passes for anybody.",
     [](S& s) -> Slot { return &s.judging.actions.unauthenticated; }},
    {"judging.actions.replayed",
     "One signature has come to more than judging.replay.recipients, and the message is addressed "
     "to none of them and is no list's.",
     [](S& s) -> Slot { return &s.judging.actions.replayed; }},

    // --- policy_service ---
    {"policy_service.sockets",
     "Where Postfix's check_policy_service connects, written as daemon.sockets are. A reload does "
     "not change them.",
     [](S& s) -> Slot { return &s.policy_service.sockets; }},
    {"policy_service.refuses_helo",
     "From which SPF result of the greeting on the client is refused. no_check: it is not even "
     "checked. never: checked and told, no more. null_sender: fail, where MAIL FROM is empty. "
     "fail. "
     "softfail: and fail. not_pass: neutral, softfail, fail and permerror.",
     [](S& s) -> Slot { return &s.policy_service.refuses_helo; }},
    {"policy_service.refuses_mail_from", "The same for MAIL FROM.",
     [](S& s) -> Slot { return &s.policy_service.refuses_mail_from; }},
    {"policy_service.must_pass",
     "Domains for which not_pass holds whatever is said above, written as domains or \".domain\".",
     [](S& s) -> Slot { return &s.policy_service.must_pass; }},
    {"policy_service.only_no_mail",
     "Refuse none but those who use domains whose record is \"v=spf1 -all\": that send no mail.",
     [](S& s) -> Slot { return &s.policy_service.only_no_mail; }},
    {"policy_service.refuses_permerror", "Refuse a client whose SPF record cannot be used.",
     [](S& s) -> Slot { return &s.policy_service.refuses_permerror; }},
    {"policy_service.defers_temperror",
     "Let a client come again later for whom DNS does not tell what SPF says.",
     [](S& s) -> Slot { return &s.policy_service.defers_temperror; }},
    {"policy_service.only_tests", "Refuse and defer nobody; fields and log lines are written.",
     [](S& s) -> Slot { return &s.policy_service.only_tests; }},
    {"policy_service.skipped",
     "Clients that are not checked, written as signing.internal_hosts is: relays of our own "
     "through which the mail of others comes in.",
     [](S& s) -> Slot { return &s.policy_service.skipped; }},
    {"policy_service.skips_authenticated", "Clients that logged in to the MTA are not checked.",
     [](S& s) -> Slot { return &s.policy_service.skips_authenticated; }},
    {"policy_service.skips_loopback", "Clients of 127.0.0.0/8 and ::1 are not checked.",
     [](S& s) -> Slot { return &s.policy_service.skips_loopback; }},
    {"policy_service.trusted_helo",
     "Greetings of clients that are not refused when the name of the greeting leads to their "
     "address, written as domains or \".domain\".",
     [](S& s) -> Slot { return &s.policy_service.trusted_helo; }},
    {"policy_service.forwarders",
     "Domains whose SPF record lists clients that are not refused. Each is asked for before a "
     "client is refused, twenty at most.",
     [](S& s) -> Slot { return &s.policy_service.forwarders; }},
    {"policy_service.forwarder_timeout",
     "How long all questions about forwarders may take together for one client; one that is not "
     "found by then is not trusted. 0: as long as dns.message_timeout leaves, which bounds them in "
     "any case.",
     [](S& s) -> Slot { return &s.policy_service.forwarder_timeout; },
     {0, 600}},
    {"policy_service.recipients_file",
     "A file of recipients for whom something else holds, read again at a reload. A line: "
     "\"user@example.com,Mail_From_reject=Softfail|TempError_Defer=True\", the settings written as "
     "in policyd-spf.conf. \"@example.com\" is every recipient of that domain who has no line of "
     "their own. Only for requests that name the recipient: smtpd_recipient_restrictions.",
     [](S& s) -> Slot { return &s.policy_service.recipients_file; }},
    {"policy_service.prospective",
     "Check this address in place of the client's: whether mail of ours, which will leave from "
     "there, will pass. For a daemon that answers the submission service alone, with "
     "skips_authenticated off.",
     [](S& s) -> Slot { return &s.policy_service.prospective; }},
    {"policy_service.field",
     "The field that is put on what is let in. authentication_results begins with "
     "judging.results.authserv_id; forged ones are not removed, which only the milter can do.",
     [](S& s) -> Slot { return &s.policy_service.field; }},
    {"policy_service.receiver", "Our name, as we tell it to others. Empty: the host name.",
     [](S& s) -> Slot { return &s.policy_service.receiver; }},
    {"policy_service.helo_pass",
     "The action for a client whose greeting passes: one of access(5), or the name of a "
     "restriction class. Postfix takes one action, so no field is added then.",
     [](S& s) -> Slot { return &s.policy_service.helo_pass; }},
    {"policy_service.mail_from_pass", "The same for MAIL FROM, which comes first.",
     [](S& s) -> Slot { return &s.policy_service.mail_from_pass; }},
    {"policy_service.reason",
     "What a client reads that is refused or deferred: {rejectdefer} becomes \"rejected\" or "
     "\"deferred\", {spf} what SPF found, {url} nothing. Empty: what SPF found.",
     [](S& s) -> Slot { return &s.policy_service.reason; }},
    {"policy_service.spf_codes",
     "Reply with the codes that SPF has (RFC 7372: 5.7.23, 5.7.24, 4.7.24), not with general ones.",
     [](S& s) -> Slot { return &s.policy_service.spf_codes; }},

    // --- sealing ---
    {"sealing.judged",
     "Seal mail from outside that was judged and is handed on: accepted or put aside, not refused. "
     "For hosts that forward mail as it is. Needs judging.arc.",
     [](S& s) -> Slot { return &s.sealing.judged; }},
    {"sealing.returned",
     "Clients of ours that hand back mail which was judged here when it came in, as list managers "
     "do, written as signing.internal_hosts is. Their mail is sealed if it bears "
     "Authentication-Results with our name, and they are believed about these: name no client that "
     "lets its users write such fields.",
     [](S& s) -> Slot { return &s.sealing.returned; }},
    {"sealing.domain", "As whom is sealed (d=).", [](S& s) -> Slot { return &s.sealing.domain; }},
    {"sealing.selector", "The selector of the key (s=).",
     [](S& s) -> Slot { return &s.sealing.selector; }},
    {"sealing.key_file",
     "The key, in PEM. It should be RSA: few verifiers of ARC know Ed25519. It may be one that "
     "signs "
     "with DKIM too.",
     [](S& s) -> Slot { return &s.sealing.key_file; }},
    {"sealing.canonicalization",
     "How header and body are brought into a form that survives transport (RFC 6376 §3.4).",
     [](S& s) -> Slot { return &s.sealing.canonicalization; }},
    {"sealing.signed_fields",
     "Header fields that the ARC-Message-Signature covers, written as signing.signed_fields is. "
     "Empty: those that are signed with DKIM, and DKIM-Signature. Authentication-Results and the "
     "fields of ARC are never among them (RFC 8617 §4.1.2).",
     [](S& s) -> Slot { return &s.sealing.signed_fields; }},
    {"sealing.omitted_fields", "Header fields never to cover, whatever signed_fields says.",
     [](S& s) -> Slot { return &s.sealing.omitted_fields; }},
    {"sealing.oversigned_fields",
     "Header fields that nobody may add on the way, written as signing.oversigned_fields is.",
     [](S& s) -> Slot { return &s.sealing.oversigned_fields; }},
    {"sealing.lifetime",
     "How long an ARC-Message-Signature is valid (x=); none is written without it. A chain is "
     "checked when the message arrives, which may be days later.",
     [](S& s) -> Slot { return &s.sealing.lifetime; },
     {1, 31'536'000}},

    {"sealing.header_checks",
     "Seal only mail of which a field matches: lines of \"Name: regular expression\" (RE2), one of "
     "which is enough.",
     [](S& s) -> Slot { return &s.sealing.header_checks; }},
    {"sealing.on_error", "What is done with mail that should be sealed and cannot be.",
     [](S& s) -> Slot { return &s.sealing.on_error; }},
    {"sealing.software_header", "Add an ARC-Filter field with our name and version.",
     [](S& s) -> Slot { return &s.sealing.software_header; }},

    // --- dns ---
    {"dns.nameservers", "Addresses of the resolvers to ask. Empty: those of the system.",
     [](S& s) -> Slot { return &s.dns.nameservers; }},
    {"dns.timeout",
     "How long one question may take.",
     [](S& s) -> Slot { return &s.dns.timeout; },
     {1, 600}},
    {"dns.message_timeout",
     "How long all questions for one message may take together; what is not answered by then is "
     "temperror. RFC 7208 §4.6.4 asks for 20 seconds at least.",
     [](S& s) -> Slot { return &s.dns.message_timeout; },
     {1, 600}},
    {"dns.trust_anchor_file", "The file with the DNSSEC trust anchor of the root.",
     [](S& s) -> Slot { return &s.dns.trust_anchor_file; }},
    {"dns.resolver_file", "Further settings of the resolver, as in unbound.conf(5).",
     [](S& s) -> Slot { return &s.dns.resolver_file; }},
    {"dns.zone_file",
     "A zone file whose records are the answers, in place of DNS: for demonstrations and tests.",
     [](S& s) -> Slot { return &s.dns.zone_file; }},

    // --- store ---
    {"store.engine", "sqlite: a file of this host. postgresql: a server that several hosts share.",
     [](S& s) -> Slot { return &s.store.engine; }},
    {"store.path", "SQLite's file. It is made when it does not exist.",
     [](S& s) -> Slot { return &s.store.path; }},
    {"store.connection",
     "How to reach PostgreSQL, as libpq reads it: \"host=db.example.net dbname=countersign\". A "
     "password belongs into a password file (passfile=…), which others cannot read.",
     [](S& s) -> Slot { return &s.store.connection; }},
    {"store.retention",
     "How long counts and records of reports are kept.",
     [](S& s) -> Slot { return &s.store.retention; },
     {3 * 86'400, 3'650UL * 86'400}},
    {"store.queue",
     "Messages that may wait in memory for the spool. What comes beyond that is not counted.",
     [](S& s) -> Slot { return &s.store.queue; },
     {100, 10'000'000}},
    {"store.spool_directory",
     "The directory of this host that keeps what the store has not got yet. One for each daemon; "
     "it is made when it does not exist.",
     [](S& s) -> Slot { return &s.store.spool_directory; }},
    {"store.spool_octets",
     "Octets that the spool may take while the store cannot be reached. What comes beyond that is "
     "not counted.",
     [](S& s) -> Slot { return &s.store.spool_octets; },
     {33'554'432, 1'099'511'627'776}},
    {"store.durability",
     "Messages that were answered longer ago than this are counted even when the program or the "
     "machine fails at any moment.",
     [](S& s) -> Slot { return &s.store.durability; },
     {1, 3'600}},
    {"store.history_all", "Mail of domains without a DMARC record stands in that file too.",
     [](S& s) -> Slot { return &s.store.history_all; }},
    {"store.history_file",
     "A file that gets each judged message as OpenDMARC's HistoryFile has it, for programs that "
     "read that; empty: none. It needs no engine.",
     [](S& s) -> Slot { return &s.store.history_file; }},

    // --- control ---
    {"control.socket",
     "The unix socket that countersign explain asks at; empty: none. Its folder must be there, "
     "else the daemon says so in its log and works without. The daemon's user and root may ask. A "
     "reload does not change it.",
     [](S& s) -> Slot { return &s.control.socket; }},
    {"control.kept_messages",
     "How many of the last messages are kept in memory to be explained; 0: none.",
     [](S& s) -> Slot { return &s.control.kept_messages; },
     {0, 1'000'000}},
    {"control.kept_octets",
     "How much memory they may take; older ones go before their time when they are large.",
     [](S& s) -> Slot { return &s.control.kept_octets; },
     {65'536, 17'179'869'184}},

    // --- metrics ---
    {"metrics.sockets",
     "Where to serve /metrics, /healthz and /readyz: \"inet:9464@127.0.0.1\". There is no "
     "password: "
     "stay on loopback.",
     [](S& s) -> Slot { return &s.metrics.sockets; }},

    // --- reports ---
    {"reports.sends",
     "Send the reports of each day, some time after midnight UTC. Needs [store], reports.from, and "
     "a "
     "key that signs for its domain.",
     [](S& s) -> Slot { return &s.reports.sends; }},
    {"reports.from",
     "The address that reports come from. Its domain must authenticate them: a key of ours signs.",
     [](S& s) -> Slot { return &s.reports.from; }},
    {"reports.org_name", "Who reports, in words. Without it the domain of reports.from.",
     [](S& s) -> Slot { return &s.reports.org_name; }},
    {"reports.extra_contact", "Where else questions can go: a URL or a sentence.",
     [](S& s) -> Slot { return &s.reports.extra_contact; }},
    {"reports.mail_from",
     "The address that bounces go to. Without it there are none: the null path.",
     [](S& s) -> Slot { return &s.reports.mail_from; }},
    {"reports.opted_out", "Domains that get no reports; \".domain\" stands for all below it.",
     [](S& s) -> Slot { return &s.reports.opted_out; }},
    {"reports.own_addresses",
     "Addresses of ours besides reports.from at which reports come in: mail to these alone is not "
     "counted, or two reporters would write to each other for ever.",
     [](S& s) -> Slot { return &s.reports.own_addresses; }},
    {"reports.packed_octets_max",
     "Octets of a packed report; a larger one is sent in parts.",
     [](S& s) -> Slot { return &s.reports.packed_octets_max; },
     {10'000, 1'073'741'824}},
    {"reports.destination_cap",
     "Reports that an address gets a day at most.",
     [](S& s) -> Slot { return &s.reports.destination_cap; },
     {1, 1'000'000'000}},
    {"reports.after_midnight",
     "How long after the end of a day its reports are made: what other hosts still have to store "
     "comes until then.",
     [](S& s) -> Slot { return &s.reports.after_midnight; },
     {0, 72'000}},
    {"reports.smtp_host", "The MTA that takes reports.",
     [](S& s) -> Slot { return &s.reports.smtp_host; }},
    {"reports.smtp_port",
     "Its port.",
     [](S& s) -> Slot { return &s.reports.smtp_port; },
     {1, 65'535}},
    {"reports.smtp_tls",
     "none: never. opportunistic: STARTTLS where it is offered, whatever the certificate. "
     "required: "
     "STARTTLS with a certificate that holds for the host.",
     [](S& s) -> Slot { return &s.reports.smtp_tls; }},
    {"reports.smtp_user", "The login there; without it there is no AUTH.",
     [](S& s) -> Slot { return &s.reports.smtp_user; }},
    {"reports.smtp_password_file",
     "A file with the password in its first line, which others cannot read.",
     [](S& s) -> Slot { return &s.reports.smtp_password_file; }},

    // --- reports.failures ---
    {"reports.failures.privacy",
     "How much is told of a message that failed its author's domain, where none of the lists below "
     "says otherwise. never: no report is sent. redacted: the fields that say how the message came "
     "and was signed, without local parts, names and subject. full_headers: the whole header. The "
     "body is never sent.",
     [](S& s) -> Slot { return &s.reports.failures.privacy; }},
    {"reports.failures.never",
     "Domains whose DMARC record applies, or of recipients, of whose mail nothing is told; "
     "\".domain\" stands for all below it, so that \".de\" is a country.",
     [](S& s) -> Slot { return &s.reports.failures.never; }},
    {"reports.failures.redacted",
     "Domains whose DMARC record applies, or of recipients, of whose mail the redacted header is "
     "told.",
     [](S& s) -> Slot { return &s.reports.failures.redacted; }},
    {"reports.failures.full_headers",
     "Domains whose owners get the whole header, as long as no recipient is in one of the lists "
     "above.",
     [](S& s) -> Slot { return &s.reports.failures.full_headers; }},
    {"reports.failures.on_none",
     "Tell of failures of domains whose policy is none too: their owners are still looking.",
     [](S& s) -> Slot { return &s.reports.failures.on_none; }},
    {"reports.failures.bcc", "Addresses of yours that get a copy of each report that has left.",
     [](S& s) -> Slot { return &s.reports.failures.bcc; }},
    {"reports.failures.grouped",
     "Failures of one domain from one address within this time are told once, with their number.",
     [](S& s) -> Slot { return &s.reports.failures.grouped; },
     {1, 86'400}},
    {"reports.failures.destination_cap",
     "Failure reports that an address gets an hour at most.",
     [](S& s) -> Slot { return &s.reports.failures.destination_cap; },
     {1, 1'000'000}},
    {"reports.failures.redaction_key_file",
     "A file with a secret, which others cannot read: local parts are replaced by digests that are "
     "made with it. With the same secret on all hosts, whoever reads reports sees that the same "
     "sender is meant. Without it each start draws another.",
     [](S& s) -> Slot { return &s.reports.failures.redaction_key_file; }},

    // --- limits ---
    {"limits.sessions",
     "Connections of MTAs that are open at once: so many to the milter, and as many to the policy "
     "service.",
     [](S& s) -> Slot { return &s.limits.sessions; },
     {1, 1'000'000}},
    {"limits.header_octets",
     "Octets of the header of one message.",
     [](S& s) -> Slot { return &s.limits.header_octets; },
     {1'024, 67'108'864}},
    {"limits.header_fields",
     "Header fields of one message.",
     [](S& s) -> Slot { return &s.limits.header_fields; },
     {16, 100'000}},
    {"limits.recipients",
     "Recipients of one message that are kept.",
     [](S& s) -> Slot { return &s.limits.recipients; },
     {1, 1'000'000}},
    {"limits.signatures_made",
     "Signatures that are put on one message.",
     [](S& s) -> Slot { return &s.limits.signatures_made; },
     {1, 64}},
    {"limits.idle_timeout",
     "How long a connection may be silent. The MTA keeps one open while its client types.",
     [](S& s) -> Slot { return &s.limits.idle_timeout; },
     {1, 604'800}},
    {"limits.packet_timeout",
     "How long the MTA may take to send the rest of a packet or request, or to take a reply.",
     [](S& s) -> Slot { return &s.limits.packet_timeout; },
     {1, 3'600}},
};

}  // namespace

std::span<const Section> sections() { return section_rows; }

std::span<const Setting> settings_table() { return rows; }

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : rows) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

}  // namespace countersign::service::config
