# A phone that registers, waits for one call, echoes its RTP and ends when the call has ended.
#   --ring      never answers
#   --hang-up N hangs up after N RTP packets
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Net::SIP;
use Phone qw(options user_agent say_line);

my $opt = options(qw(ring hang-up=i));
my $ua  = user_agent($opt);

my $received = 0;
my ( $call, $hanging_up, $done );

sub on_rtp {
    $received++;
    if ( $opt->{'hang-up'} && $received >= $opt->{'hang-up'} && !$hanging_up++ ) {
        $call->bye( cb_final => sub { say_line( 'hung-up', 'rtp', $received ); $done = 1 } );
    }
    return;
}

$ua->listen(
    cb_create => sub {
        ( $call, my $request, my $leg, my $from ) = @_;
        say_line('ringing');
        my $ringing = $request->create_response( 180, 'Ringing' );
        if ( $opt->{ring} ) {
            $call->set_param( cb_invite => sub { $ringing } );
        }
        else {
            $call->{endpoint}->new_response( $call->{ctx}, $ringing, $leg, $from );
        }
        return 1;
    },
    cb_established => sub { say_line('established') },
    init_media     => $ua->rtp( 'media_recv_echo', \&on_rtp ),
    recv_bye       => sub {
        say_line( $opt->{ring} ? 'cancelled' : 'bye', 'rtp', $received );
        $done = 1;
    },
);
say_line('listening');
$ua->loop( \$done );
$ua->loop(1);    # answers repetitions of what ended the call
