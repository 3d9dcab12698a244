# What the two phones share: options, a leg on a free loopback port, one line a happening on stdout.
package Phone;
use strict;
use warnings;
use Exporter 'import';
use Getopt::Long;
use IO::Socket::INET;
use Net::SIP;

our @EXPORT_OK = qw(options user_agent say_line);

sub say_line {
    syswrite( STDOUT, join( ' ', @_ ) . "\n" );
    return 1;
}

# --server 127.0.0.1:5060 --proto udp|tcp --user alice --password secret, and those given here
sub options {
    my %opt = ( proto => 'udp', domain => 'example.com', within => 30 );
    GetOptions( \%opt, qw(server=s proto=s domain=s user=s password=s within=i), @_ )
        or die "bad option\n";
    $opt{$_} or die "--$_ is missing\n" for qw(server user password);

    # Nothing outlives its test, also when nobody is left to end it.
    $SIG{ALRM} = sub { say_line('timeout'); exit 2 };
    alarm $opt{within};
    return \%opt;
}

# A registered Net::SIP::Simple, its server as registrar and outgoing proxy.
sub user_agent {
    my ($opt) = @_;
    my $tcp    = $opt->{proto} eq 'tcp';
    my $socket = IO::Socket::INET->new(
        Proto     => $opt->{proto},
        LocalAddr => '127.0.0.1',
        LocalPort => 0,
        ( $tcp ? ( Listen => 10 ) : () ),
    ) or die "no socket: $!\n";
    my $server = "sip:$opt->{server}" . ( $tcp ? ';transport=tcp' : '' );
    my $ua = Net::SIP::Simple->new(
        leg            => Net::SIP::Leg->new( sock => $socket ),
        outgoing_proxy => $server,
        registrar      => $server,
        domain         => $opt->{domain},
        from           => "$opt->{user} <sip:$opt->{user}\@$opt->{domain}>",
        auth           => [ $opt->{user}, $opt->{password} ],
    );
    my $expires = $ua->register( expires => 300 );
    if ( !$expires ) {
        say_line( 'refused', $ua->error );
        exit 1;
    }
    say_line( 'registered', $expires );
    return $ua;
}

1;
