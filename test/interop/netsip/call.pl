# A phone that registers, calls --to, sends RTP and ends when the call has ended.
#   --packets N   hangs up when N RTP packets came back; without it the other side has to
#   --cancel      cancels when the other side rings
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Net::SIP;
use Phone qw(options user_agent say_line);

my $opt = options(qw(to=s packets=i cancel));
my $ua  = user_agent($opt);

my $received = 0;
my ( $call, $ending, $done );

sub on_rtp {
    $received++;
    if ( $opt->{packets} && $received >= $opt->{packets} && !$ending++ ) {
        $call->bye( cb_final => sub { say_line( 'hung-up', 'rtp', $received ); $done = 1 } );
    }
    return;
}

my $silence = chr(0xff) x 160;
$call = Net::SIP::Simple::Call->new( $ua, "sip:$opt->{to}\@$opt->{domain}" );
$call->reinvite(
    init_media     => $ua->rtp( 'media_send_recv', sub { $silence }, 1, \&on_rtp ),
    recv_bye       => sub { say_line( 'bye', 'rtp', $received ); $done = 1 },
    cb_preliminary => sub {
        my ( undef, $code ) = @_;
        say_line( 'provisional', $code );
        $call->cancel if $opt->{cancel} && $code == 180 && !$ending++;
    },
    cb_final => sub {
        my ( $status, undef, %info ) = @_;
        if ( $status eq 'OK' ) {
            say_line('established');
        }
        else {
            say_line( 'failed', $info{code} || "errno $info{errno}" );
            $done = 1;
        }
    },
);
$ua->loop( \$done );
$ua->loop(1);    # answers repetitions of what ended the call
