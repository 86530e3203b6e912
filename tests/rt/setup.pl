#!/usr/bin/perl
# What the test needs in a new Request Tracker: a custom field for the reference, and an account with a token, which is printed.
use strict;
use warnings;
use lib qw(/usr/local/share/request-tracker5/lib /usr/share/request-tracker5/lib);
use RT;
RT::LoadConfig();
RT::Init();

sub check { my ($ok, $said) = @_; die "$said\n" unless $ok; return $ok }

my $field = RT::CustomField->new(RT->SystemUser);
check($field->Create(Name => 'Reference', Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket'));
my $queue = RT::Queue->new(RT->SystemUser);
$queue->Load('General');
check($field->AddToObject($queue));

my $user = RT::User->new(RT->SystemUser);
check($user->Create(Name => 'casehook', EmailAddress => 'casehook@localhost', Privileged => 1));
my $principal = $user->PrincipalObj;
for my $right (qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ModifyTicket CommentOnTicket SeeCustomField ModifyCustomField)) {
    check($principal->GrantRight(Right => $right, Object => $queue));
}
my $token = RT::AuthToken->new(RT->SystemUser);
my ($ok, $said, $text) = $token->Create(Owner => $user->Id, Description => 'casehook');
check($ok, $said);
print "$text\n";
