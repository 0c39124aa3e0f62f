# SPDX-License-Identifier: Apache-2.0
# Verifies every DKIM signature of a delivered file with Mail::DKIM over real DNS; exits 0 when all
# pass.
use strict;
use warnings;
use Mail::DKIM::Verifier;

my ($path, $expected) = @ARGV;
open my $file, '<:raw', $path or die "$path: $!";
my $verifier = Mail::DKIM::Verifier->new;
while (my $line = <$file>) {
  $line =~ s/\r?\n\z//;
  $verifier->PRINT("$line\015\012");
}
$verifier->CLOSE;
my @signatures = $verifier->signatures;
$expected //= @signatures || 1;
die 'Mail::DKIM: ' . @signatures . " signatures, expected $expected\n" if @signatures != $expected;
for my $signature (@signatures) {
  next if $signature->result eq 'pass';
  die 'Mail::DKIM: s=' . $signature->selector . ': ' . $signature->result_detail . "\n";
}
print 'Mail::DKIM: ' . @signatures . " signatures verify\n";
