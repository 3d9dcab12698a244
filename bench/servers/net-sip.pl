#!/usr/bin/perl
# A registrar of Net::SIP with digest on one UDP address: net-sip.pl 127.0.0.1:5060
use strict;
use warnings;
use Net::SIP qw(:all);
use Net::SIP::Dispatcher::Eventloop;

my $address = shift or die "usage: $0 ADDRESS:PORT\n";

my $loop = Net::SIP::Dispatcher::Eventloop->new;
my $leg = Net::SIP::Leg->new(addr => $address, proto => 'udp');
my $dispatcher = Net::SIP::Dispatcher->new([$leg], $loop);
my $authorize = Net::SIP::Authorize->new(
    dispatcher => $dispatcher,
    realm      => 'example.com',
    user2pass  => sub { 'secret' },
);
my $registrar = Net::SIP::Registrar->new(
    dispatcher  => $dispatcher,
    domain      => 'example.com',
    min_expires => 30,
    max_expires => 3600,
);
$dispatcher->set_receiver(Net::SIP::ReceiveChain->new([$authorize, $registrar]));

my $stop = 0;
$SIG{TERM} = $SIG{INT} = sub { $stop = 1 };
$loop->loop(undef, \$stop);
