"""What a page does, a program can do: each form has a route of the JSON API that wants the same permission.

The harm: a page was written in a hurry with its rule inside the form's handler, and whoever connected a program could
do everything but the one thing that they had come for.
"""

from server.auth.access import Requires
from tests.application import routes

API = "/api/v1"
DONE_BY = """
/accounts/{account_id}/notes                        POST /notes
/density/refresh                                    POST /density/refresh
/notes/{note_id}                                    PATCH /notes/{note_id}
/notes/{note_id}/delete                             DELETE /notes/{note_id}
/notes/{note_id}/restore                            POST /notes/{note_id}/restore
/files/{entity}/{row_id}/add                        POST /attachments
/files/{attachment_id}/delete                       DELETE /attachments/{attachment_id}
/files/{attachment_id}/restore                      POST /attachments/{attachment_id}/restore
/accounts/{account_id}/sites                        POST /accounts/{account_id}/sites
/accounts/new                                       POST /accounts
/accounts/{account_id}/edit                         PATCH /accounts/{account_id}
/accounts/{account_id}/delete                       DELETE /accounts/{account_id}
/accounts/{account_id}/restore                      POST /accounts/{account_id}/restore
/segments                                           POST /segments
/segments/words                                     POST /filters
/segments/{segment_id}                              PATCH /segments/{segment_id}
/segments/{segment_id}/freeze                       POST /segments/{segment_id}/freeze
/segments/{segment_id}/members                      POST /segments/{segment_id}/members
/segments/{segment_id}/delete                       DELETE /segments/{segment_id}
/classes                                            POST /class-changes/decide
/classes/rule                                       PUT /class-changes/rule
/contacts/new                                       POST /contacts
/contacts/vcards                                    POST /contacts/vcards
/contacts/{contact_id}/edit                         PATCH /contacts/{contact_id}
/contacts/{contact_id}/places                       POST /contacts/{contact_id}/accounts
/contacts/{contact_id}/places/{link_id}/remove      DELETE /contacts/{contact_id}/accounts/{link_id}
/contacts/{contact_id}/consents                     POST /contacts/{contact_id}/consents
/contacts/{contact_id}/merge/{other_id}             POST /contacts/{contact_id}/merge
/contacts/{contact_id}/merges/{merge_id}/undo       POST /contact-merges/{merge_id}/undo
/contacts/{contact_id}/delete                       DELETE /contacts/{contact_id}
/contacts/{contact_id}/restore                      POST /contacts/{contact_id}/restore
/handovers/new                                      POST /handovers
/handovers/{handover_id}/undo                       POST /handovers/{handover_id}/undo
/notifications/{notification_id}/open               POST /notifications/{notification_id}/read
/notifications/read                                 POST /notifications/read
/notifications/wishes                               PUT /notifications/wishes
/bin/{entity}/{row_id}/restore                      POST /bin/{entity}/{row_id}/restore
/accounts/{account_id}/visits                       POST /visits/report
/accounts/{account_id}/appointments                 POST /visits
/orders/new                                         POST /orders
/orders/{order_id}/lines                            POST /orders/{order_id}/lines
/orders/{order_id}/lines/{line_id}                  PATCH /orders/{order_id}/lines/{line_id}
/orders/{order_id}/edit                             PATCH /orders/{order_id}
/orders/{order_id}/do/{verb}                        POST /orders/{order_id}/place
/accounts/{account_id}/trade                        PUT /accounts/{account_id}/order-habit
/leads/{lead_id}/merge/{other_id}                    POST /leads/{lead_id}/merge
/leads/{lead_id}/merges/{merge_id}/undo             POST /lead-merges/{merge_id}/undo
/products/{product_id}/merge/{other_id}             POST /products/{product_id}/merge
/products/{product_id}/merges/{merge_id}/undo       POST /product-merges/{merge_id}/undo
/products/new                                       POST /products
/products/{product_id}                              PATCH /products/{product_id}
/products/{product_id}/stock                        PUT /products/{product_id}/stock
/products/{product_id}/picture                      PUT /products/{product_id}/picture
/products/{product_id}/picture/delete               DELETE /products/{product_id}/picture
/products/{product_id}/delete                       DELETE /products/{product_id}
/price-lists                                        POST /price-lists
/price-lists/taxes                                  POST /tax-classes
/price-lists/letterhead                             PUT /letterhead
/price-lists/{list_id}                              PATCH /price-lists/{list_id}
/price-lists/{list_id}/delete                       DELETE /price-lists/{list_id}
/leads/settings/forms                               POST /lead-forms
/leads/settings/rules                               POST /lead-rules
/leads/settings/score                               POST /lead-points
/leads/bulk                                         POST /leads/disqualify
/leads/new                                          POST /leads
/leads/{lead_id}/edit                               PATCH /leads/{lead_id}
/leads/{lead_id}/do                                 POST /leads/{lead_id}/state
/accounts/{account_id}/calls                        POST /activities/calls
/reports/mails                                      POST /report-mails
/reports/mails/{mail_id}                            PUT /report-mails/{mail_id}
/reports/mails/{mail_id}/send                       POST /report-mails/{mail_id}/send
/reports/mails/{mail_id}/delete                     DELETE /report-mails/{mail_id}
/calendar/connect/feed                              POST /calendar-feed
/calendar/connect/look                              PUT /calendar-link
/calendar/connect/now                               POST /calendar-link/sync
/calendar/connect/end                               DELETE /calendar-link
/calendar/connect/signature                         PUT /mail-signature
/calendar/activities/{activity_id}                  PATCH /activities/{activity_id}
/calendar/activities/{activity_id}/state            POST /activities/bulk
/calendar/activities/{activity_id}/delete           DELETE /activities/{activity_id}
/calendar/new                                       POST /activities
/accounts/{account_id}/mail                         POST /accounts/{account_id}/mail
/mail-templates                                     POST /mail-templates
/mail-templates/{template_id}/drop                  DELETE /mail-templates/{template_id}
/inbox/{mail_id}/file                               POST /inbox/{mail_id}/file
/inbox/{mail_id}/ignore                             POST /inbox/{mail_id}/ignore
/integrations/mailboxes                             POST /mailboxes
/integrations/mailboxes/{mailbox_id}/read           POST /mailboxes/{mailbox_id}/read
/integrations/mailboxes/{mailbox_id}/remove         DELETE /mailboxes/{mailbox_id}
/tasks/several                                      POST /activities/bulk
/accounts/{account_id}/times                        POST /accounts/{account_id}/times
/pipeline/list                                      POST /opportunities/bulk
/pipeline/new                                       POST /opportunities
/pipeline/deals/{deal_id}/edit                      PATCH /opportunities/{deal_id}
/pipeline/deals/{deal_id}/move                      POST /opportunities/{deal_id}/move
/pipeline/deals/{deal_id}/lines                     PUT /opportunities/{deal_id}/lines
/pipeline/deals/{deal_id}/delete                    DELETE /opportunities/{deal_id}
/pipeline/deals/{deal_id}/restore                   POST /opportunities/{deal_id}/restore
/forecast                                           POST /forecast/calls
/pipeline/settings/usual                            POST /pipelines/usual
/pipeline/settings/pipelines                        POST /pipelines
/pipeline/settings/stages                           POST /pipelines/{pipeline_id}/stages
/pipeline/settings/words                            POST /deal-choices
/pipeline/settings/rates                            PUT /exchange-rates
/plans                                              POST /plans
/plans/{plan_id}/publish                            POST /plans/{plan_id}/publish
/plans/{plan_id}/delete                             DELETE /plans/{plan_id}
/plans/{plan_id}/exports                            POST /exports/{span}
/plans/exports/{day}                                POST /exports/{span}
/planning/nights                                    POST /nights
/planning/nights/{run_id}/parts/{part_id}/again     POST /nights/{run_id}/parts/{part_id}/again
/planning/days-off/absences                         POST /absences
/planning/days-off/absences/{absence_id}/delete     DELETE /absences/{absence_id}
/planning/days-off/calendars                        POST /holiday-calendars
/accounts/{account_id}/sites/{site_id}/closures     POST /sites/{site_id}/closures
/accounts/{account_id}/closures/{closure_id}/open   DELETE /closures/{closure_id}
/accounts/{account_id}/demands                      PUT /demands
/accounts/{account_id}/demands/{demand_id}/withdraw DELETE /demands/{demand_id}
/plans/{plan_id}/relax                              POST /plans/{plan_id}/relaxations
/today/replan                                       POST /days/{day}/reps/{rep_id}/replan
/today/absence                                      POST /days/{day}/reps/{rep_id}/absence
/plans/{plan_id}/again                              POST /plans/{plan_id}/again
/plans/{plan_id}/copy                               POST /plans/{plan_id}/copy
/tickets/queues                                     POST /ticket-queues
/tickets/queues/{queue_id}/remove                   DELETE /ticket-queues/{queue_id}
/tickets/answers                                    POST /ticket-answers
/tickets/answers/{answer_id}/remove                 DELETE /ticket-answers/{answer_id}
/tickets/many                                       PATCH /tickets/{ticket_id}
/tickets/{ticket_id}/visit                          PUT /tickets/{ticket_id}/visit
/tickets/{ticket_id}/visit/withdraw                 DELETE /tickets/{ticket_id}/visit
/tickets/new                                        POST /tickets
/tickets/{ticket_id}/messages                       POST /tickets/{ticket_id}/messages
/tickets/{ticket_id}/edit                           PATCH /tickets/{ticket_id}
/tickets/{ticket_id}/merge                          POST /tickets/{ticket_id}/merge
/tickets/{ticket_id}/unmerge                        POST /tickets/{ticket_id}/unmerge
/tickets/{ticket_id}/links                          PUT /tickets/{ticket_id}/links
/tickets/{ticket_id}/links/{other_id}/remove        DELETE /tickets/{ticket_id}/links/{other_id}
/tickets/{ticket_id}/delete                         DELETE /tickets/{ticket_id}
/tickets/{ticket_id}/restore                        POST /tickets/{ticket_id}/restore
/territories/import                                 POST /territories/import
/territories/challenges                             POST /territory-challenges
/territories/challenges/rule                        PUT /challenge-rule
/territories/challenges/{challenge_id}              POST /territory-challenges/{challenge_id}/decision
/territories/balance                                POST /balance-runs
/territories/balance/{run_id}/cancel                POST /balance-runs/{run_id}/cancel
/territories/balance/{run_id}/scenarios/{key}/apply POST /balance-runs/{run_id}/scenarios/{key}/apply
/territories/balance/{run_id}/scenarios/{key}/call-off DELETE /balance-runs/{run_id}/scenarios/{key}/apply
/review/repairs                                     POST /repairs
/review/repairs/{run_id}/apply                      POST /repairs/{run_id}/apply
/review/repairs/{run_id}/undo                       POST /repairs/{run_id}/undo
/imports                                            POST /imports
/imports/{run_id}/reading                           POST /imports/{run_id}/reading
/imports/{run_id}/columns                           POST /imports/{run_id}/mapping
/imports/profiles/{profile_id}/delete               DELETE /imports/profiles/{profile_id}
/imports/{run_id}/apply                             POST /imports/{run_id}/apply
/imports/{run_id}/undo                              POST /imports/{run_id}/undo
/pins/{proposal_id}                                 POST /pin-proposals/{proposal_id}/accept
/duplicates/search                                  POST /duplicates/search
/duplicates/merged/{merge_id}/undo                  POST /merges/{merge_id}/undo
/duplicates/merged/batches/{batch_id}/undo          POST /merges/batches/{batch_id}/undo
/duplicates/rule                                    PUT /duplicates/rule
/duplicates/{one}/{other}/merge                     POST /accounts/{account_id}/merge
/duplicates/{one}/{other}/apart                     POST /duplicates/not-same
/duplicates/{one}/{other}/again                     POST /duplicates/look-again
/conflicts/all                                      POST /conflicts/{conflict_id}/decision
/conflicts/{conflict_id}                            POST /conflicts/{conflict_id}/decision
/conflicts/{conflict_id}/undo                       POST /conflicts/{conflict_id}/undo
/users/roles                                        POST /roles
/users/roles/{key}                                  PUT /roles/{key}
/users/roles/{key}/remove                           DELETE /roles/{key}
/fields                                             POST /fields
/fields/delete/{field_id}                           DELETE /fields/{field_id}
/fields/visits                                      PUT /visit-types/{type_id}/form
/fields/lists                                       PUT /picklists/{name}
/fields/templates/{key}                             POST /templates/{key}/apply
/users/new                                          POST /users
/users/teams                                        PUT /teams
/users/{user_id}                                    PATCH /users/{user_id}
/users/{user_id}/active                             PATCH /users/{user_id}
/users/{user_id}/working-day                        PUT /users/{user_id}/working-day
/users/devices/{device_id}                          PATCH /devices/{device_id}
/users/phones/codes                                 POST /device-codes
/users/phones/codes/{code_id}/revoke                DELETE /device-codes/{code_id}
/users/phones/rules                                 PUT /phones/rules
/users/phones/exports                               POST /phone-exports
/users/devices/{device_id}/quarantine               POST /devices/{device_id}/quarantine
/users/devices/{device_id}/refused/{n}              POST /devices/{device_id}/refused/{n}
/me/keys                                            POST /api-tokens
/me/keys/{key_id}/revoke                            DELETE /api-tokens/{token_id}
/regions/addresses                                  POST /address-files
/regions/addresses/{source_id}/remove               DELETE /address-files/{source_id}
/regions/addresses/{source_id}/restore              POST /address-files/{source_id}/restore
/regions/elsewhere/{provider}                       PUT /remote-geocoders/{provider}
/regions/elsewhere/{provider}/off                   DELETE /remote-geocoders/{provider}
/integrations/deliveries/{delivery_id}/again        POST /export-targets/deliveries/{delivery_id}/again
/integrations/targets/new                           POST /export-targets
/integrations/targets/{target_id}                   PUT /export-targets/{target_id}
/integrations/targets/{target_id}/remove            DELETE /export-targets/{target_id}
/integrations/targets/{target_id}/host-key          POST /export-targets/{target_id}/host-key
/integrations/targets/{target_id}/trust             POST /export-targets/{target_id}/trust
/integrations/webhooks                              POST /webhooks
/integrations/webhooks/{endpoint_id}/switch         PATCH /webhooks/{endpoint_id}
/integrations/webhooks/{endpoint_id}/remove         DELETE /webhooks/{endpoint_id}
/integrations/webhooks/deliveries/{delivery_id}/replay POST /webhooks/deliveries/{delivery_id}/replay
/accounts/{account_id}/follow                       PUT /accounts/{account_id}/follow
/calendar/connect/clashes                           POST /calendar-link/clashes/{clash_id}/decision
/integrations/mail                                  PUT /mail-server
/integrations/mail/test                             POST /mail-server/trial
/integrations/mail/{message_id}/again               POST /outbox/{message_id}/again
/me                                                 PATCH /me
/orders/{order_id}/restore                          POST /orders/{order_id}/restore
/products/{product_id}/restore                      POST /products/{product_id}/restore
/planning/days-off/calendars/{calendar_id}/delete   DELETE /holiday-calendars/{calendar_id}
/planning/days-off/calendars/{calendar_id}/main     POST /holiday-calendars/{calendar_id}/main
/planning/days-off/days                             PUT /company-days
/planning/days-off/days/{day_id}/delete             DELETE /company-days/{day_id}
/planning/days-off/rep-calendar                     PUT /users/{user_id}/holiday-calendar
/planning/rules                                     PATCH /planning-rules
/planning/rules/intervals                           PUT /call-intervals/{account_class}
/regions/roads/apart                                DELETE /roads/joined/{key}
/regions/roads/build/{region_id}                    POST /roads/graphs/{region_id}/build
/regions/roads/join                                 POST /roads/joined
/regions/roads/learn                                POST /roads/drive-times/learn
/regions/roads/server/{kind}                        PUT /roads/servers/{kind}
/regions/roads/server/{kind}/off                    DELETE /roads/servers/{kind}
/today/changes/{plan_id}/accept                     POST /plans/{plan_id}/publish
/today/changes/{plan_id}/undo                       DELETE /plans/{plan_id}
"""
"""Forms, and what does the same for a program."""

FOR_PEOPLE = {
    "/sign-out": "a program has a key, no session",
    "/users/{user_id}/view-as": "a page looks through somebody's eyes; a program takes that person's key",
    "/users/view-as/stop": "see view-as",
    "/me/password": "a password is set by a person",
    "/segments/{segment_id}/count": "a fragment of the editor; GET /segments/{segment_id} counts",
}
"""Forms that mean nothing to a program, and why."""


def doors() -> dict[str, str]:
    """Each writing route with the permission that it requires; a public one has none."""
    found = {}
    for route in routes():
        if route.path_format.startswith(("/sync/", "/att/")):
            continue
        for child in route.dependant.dependencies:
            if isinstance(child.call, Requires):
                found |= {f"{method} {route.path_format}": child.call.permission for method in route.methods - {"GET"}}
    return found


DOORS = doors()
TABLE = {page: f"{method} {API}{path}" for page, method, path in (line.split() for line in DONE_BY.strip().split("\n"))}
FORMS = {door.removeprefix("POST ") for door in DOORS if door.startswith("POST ") and f" {API}/" not in door}


def test_every_form_is_in_the_table() -> None:
    assert len(FORMS) > 150
    assert sorted(FORMS - TABLE.keys() - FOR_PEOPLE.keys()) == []


def test_the_table_holds_no_form_that_is_gone() -> None:
    assert sorted((TABLE.keys() | FOR_PEOPLE.keys()) - FORMS) == []


def test_a_program_does_what_the_form_does_with_the_same_permission() -> None:
    wrong = {page: DOORS.get(door) for page, door in TABLE.items() if DOORS.get(door) != DOORS[f"POST {page}"]}
    assert wrong == {}
