#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Reads a report mail as Mail::DMARC does when it comes into its mailbox, and prints what it made of
# it, "name: value" a line. Its release in Debian looks for elements without a namespace, so the one
# namespace of RFC 9990 is cut off before it looks; all else it gets as it is in the mail.
#
#   tests/foreign/read_report.pl FILE

use strict;
use warnings;

use Mail::DMARC::Report;
use Mail::DMARC::Report::Receive;

my $receiver = Mail::DMARC::Report::Receive->new;
my $handle_body = \&Mail::DMARC::Report::Receive::handle_body;
no warnings 'redefine';
# Nothing is to be stored, and so nothing needs a database.
*Mail::DMARC::Report::save_aggregate = sub { return 1 };
*Mail::DMARC::Report::Receive::handle_body = sub {
    my ($self, $body) = @_;
    $body =~ s/ xmlns="urn:ietf:params:xml:ns:dmarc-2\.0"// or die "no namespace of RFC 9990\n";
    return $handle_body->($self, $body);
};

my $type = $receiver->from_file($ARGV[0]) || 'none';
my $aggregate = $receiver->report->aggregate;
my $metadata = $aggregate->metadata;
binmode STDOUT, ':encoding(UTF-8)';
print "type: $type\n";
for my $name (qw(org_name email report_id begin end)) {
    print "$name: " . $metadata->$name . "\n";
}
for my $name (qw(domain p sp adkim aspf)) {
    print "$name: " . $aggregate->policy_published->$name . "\n";
}
for my $record (@{ $aggregate->record }) {
    my $evaluated = $record->row->policy_evaluated;
    print join(' ', 'record:', $record->row->source_ip, $record->row->count,
        $evaluated->disposition, $evaluated->dkim, $evaluated->spf,
        $record->identifiers->header_from) . "\n";
    print "dkim: $_->{domain} $_->{selector} $_->{result}\n" for @{ $record->auth_results->dkim };
    print "spf: $_->{domain} $_->{scope} $_->{result}\n" for @{ $record->auth_results->spf };
}
