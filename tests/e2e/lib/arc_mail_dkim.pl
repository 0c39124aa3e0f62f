# SPDX-License-Identifier: Apache-2.0
# Validates the ARC chain of a delivered file with Mail::DKIM over real DNS: FILE STATUS.
use strict;
use warnings;
use Mail::DKIM::ARC::Verifier;

my ($path, $wanted) = @ARGV;
open my $file, '<:raw', $path or die "$path: $!";
my $verifier = Mail::DKIM::ARC::Verifier->new;
while (my $line = <$file>) {
  $line =~ s/\r?\n\z//;
  $verifier->PRINT("$line\015\012");
}
$verifier->CLOSE;
my $found = $verifier->result;
die "Mail::DKIM: the chain is $found, expected $wanted: " . $verifier->result_detail . "\n"
  if $found ne $wanted;
print "Mail::DKIM: $found\n";
