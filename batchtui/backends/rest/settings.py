"""What a `[backends.NAME]` table of kind `rest` says: an API that takes work, is asked how it fares, and gives a result.

Three small languages, used alike everywhere:

- a **template** is a text with `{{ name }}` in it, or JSON of such texts; what is exactly one `{{ name }}` keeps its
  JSON type. In a `path` every value is quoted for an address.
- a **place** is where something stands in a reply: `task_id`, `taskDetails.taskId`, `tasks[0].id`, or an expression
  as templates take it (`progress * 100`). `reply` is the whole body: `reply[0]`, `reply["task-id"]`. Beside the body
  there are `header:Location` (any header), `link:next` (the link of that relation, in the header `Link` or among the
  body's `links`) and `http:status` (the number in the status line). A list of places takes the first at which there
  is something.
- a **reference** `env:NAME`, or `{{ env.NAME }}` inside a longer text, takes a secret from the environment.

Names that templates may use: `token` (marks the submission: put it where `find` can see it), `batch` (its name),
`created` and `created_unix` (when the oldest submission that is asked for was meant to be sent, less `look_back`) and
`env`; in `submit` also `input`, `name`, `job_id` (the job's own id) and `id` (under which the API is to
answer it); in `submit.body` of an API that takes many jobs `jobs`; after it was submitted `id` (the API's) and every
name under `keep`; in lists `page`, `offset` and `cursor`; in `find.look` also `item`.

Keys and whatever else lets us in go to the host of `base_url` alone. There are no webhooks: nothing here listens at an
address that an API could call, so a task is asked for until it has ended.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from batchtui.backends.base import BackendSettings
from batchtui.model import Json

Place: TypeAlias = str | list[str]
State = Literal["submitted", "processing", "cancelling", "completed", "failed", "expired", "cancelled"]
TextFormat = Literal["json", "jsonl", "text"]
Format = Literal["json", "jsonl", "text", "file"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_WORDS: dict[State, str] = {
    "submitted": "pending queued submitted created accepted waiting scheduled new enqueued notstarted runnable",
    "processing": "running processing inprogress started starting working active executing",
    "cancelling": "cancelling canceling dismissing",
    "completed": "completed complete succeeded success successful done finished",
    "failed": "failed failure error errored",
    "expired": "expired timeout timedout",
    "cancelled": "cancelled canceled aborted dismissed",
}
STATES: dict[str, State] = {word: state for state, words in _WORDS.items() for word in words.split()}
"""What the usual words for a status mean, without what joins their parts; `states` adds to them."""


_NO_WEBHOOKS = "there are no webhooks: nothing here listens at an address; what runs is asked for by poll, also by one held open"
_WEBHOOKS = "webhook webhooks webhook_url callback callback_url callbacks subscriber notify_url"
LEFT_OUT = dict.fromkeys(_WEBHOOKS.split(), _NO_WEBHOOKS)


class _Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    left_out: ClassVar[dict[str, str]] = LEFT_OUT


class _Request(_Part):
    method: Method = "GET"
    query: dict[str, Json] = {}
    headers: dict[str, str] = {}
    body: Json = None


class Call(_Request, kw_only=True):
    """One call. `path` is under `base_url`; `query`, `headers` and `body` are templates; an empty `query` value is left out."""

    path: str


class Later(_Request, kw_only=True):
    """A call about what was submitted: its `path`, or its `url`, an address that the API gave and `keep` holds.

    `url = "{{ status_url }}"` is followed as it was given, on the host of `base_url` alone; `path` stands in for it
    where the address was never learnt, as after an adoption.
    """

    path: str | None = None
    url: str | None = None


class SignIn(Call, kw_only=True):
    """Asked for a token before the first call, when it runs out and, once, when a call is refused with a 401.

    The token goes with every other call in `header`, as `value` says it. `expires_in`: place of its seconds.
    """

    method: Method = "POST"
    token: Place = msgspec.field(default_factory=lambda: ["access_token", "token"])
    expires_in: Place | None = "expires_in"
    header: str = "Authorization"
    value: str = "Bearer {{ token }}"


class Submit(Call, kw_only=True):
    """Creates the work, once. `id`: place of the id that later calls need; `keep`: further ones, by name.

    Of an address in a header or a link the id is what stands where `poll`, `fetch` or `cancel` have `{{ id }}` in their
    path or query, else its last part; `id_in` says otherwise: `"jobs/{{ id }}/status"`. Where none of them has an id,
    it is the address's path and query; where none is like it and it has a query, nothing is guessed: the work is
    unsure until `id_in` says so. A reply of 303 counts as a create where its header holds the id.

    `set` are fields, templates too, that are put into a `body` which comes from the job as it is: `body = "{{ input }}"`.
    `each` is the template of one job where the API takes many at a time, which `body` then holds as `{{ jobs }}`.
    `refused`: place of what went wrong in a reply of 2xx that made nothing.

    `result`: place, in a reply of 200 without an id, of the result itself, where the API did the work at once, always or
    when it likes; `reply` is all of it, `text`, `cost_usd` and `format` are as in `fetch`. Where such a reply says by a
    word whether it failed, `status` is its place and `error` that of what went wrong. Without `poll` every reply of 2xx
    but 202 holds the result, and no id is looked for. The table's `timeout` must be as long as the work may take.
    """

    method: Method = "POST"
    id: Place = msgspec.field(default_factory=lambda: ["id", "header:Location"])
    id_in: str | None = None
    keep: dict[str, Place] = {}
    set: dict[str, Json] = {}
    each: Json = None
    refused: Place | None = None
    result: Place | None = None
    text: Place | None = None
    cost_usd: Place | None = None
    format: TextFormat = "json"
    status: Place | None = None
    error: Place | None = msgspec.field(default_factory=lambda: ["error", "message"])


class Listing(Call, kw_only=True):
    """A call whose reply holds many. `items`: place of the list; `id`: of the id in one of them.

    What follows comes by `next` (place of the next page's address, such as `link:next`) or `cursor` (place of its
    mark), else by `{{ page }}` or `{{ offset }}` in the query until nothing more comes, `more` (a place) is false, or
    as many as `total` (a place) says were seen. `whole`: the one reply holds all there is.
    """

    items: Place
    id: Place = "id"
    id_in: str | None = None
    next: Place | None = None
    cursor: Place | None = None
    more: Place | None = None
    total: Place | None = None
    first_page: int = 1
    whole: bool = False


class Poll(Later, kw_only=True):
    """How it fares: by a call for one (`path` or `url`, and the rest), by `list` for many, or both.

    `progress` (0 to 100) and `stage` are shown, `completed`, `failed` and `total` count jobs where one submission holds
    many; all are places. A `Retry-After` in the reply is waited for. A reply of 303 says that it is done, and where the
    result is. `hold`: the API holds the call open for so long, until something changes; ask for that in `query` or
    `headers` as it wants.
    """

    hold: float | str | None = None
    status: Place = "status"
    progress: Place | None = None
    stage: Place | None = None
    error: Place | None = msgspec.field(default_factory=lambda: ["error", "message"])
    completed: Place | None = None
    failed: Place | None = None
    total: Place | None = None
    keep: dict[str, Place] = {}
    list: Listing | None = None


class Find(Listing, kw_only=True):
    """Looks a submission up whose reply was lost: by the list in which `token`, a place, shows its token.

    `look` is a call for one item where the list does not show it; `token` is then a place in its reply, and an item that
    cannot be looked at before it has ended is waited for. Only a list that is read to its end proves that nothing was
    made. Without a `find`, a lost submission needs a person.
    """

    token: Place
    keep: dict[str, Place] = {}
    look: Call | None = None


class Fetch(Later, kw_only=True):
    """The result of what was completed. `result`: place of what is kept (left out: the whole reply); `text`: of an answer
    in words; `cost_usd`: of what it cost.

    A redirect is followed to the result, and so is `file`, the place of its address. Either may lead to another host,
    which gets no key and no header of ours. `format` says what stands there: `json`, `jsonl` (a list of its lines),
    `text`, or `file`, which is kept in `raw/` as it comes.

    `items` is the place of a list that goes on over several pages, as any does; the result is all of it. Where the API
    takes many jobs it is the list of their results, and in one of them stand `job`, the job's id, and `error`, what
    went wrong with it.
    """

    file: Place | None = None
    format: Format = "json"
    result: Place | None = None
    text: Place | None = None
    cost_usd: Place | None = None
    keep: dict[str, Place] = {}
    items: Place | None = None
    job: Place = "id"
    error: Place | None = "error"
    next: Place | None = None
    cursor: Place | None = None
    more: Place | None = None
    total: Place | None = None
    first_page: int = 1


class Cancel(Later, kw_only=True):
    """Asks it to stop. `ended`: answers which say that it has ended already."""

    method: Method = "POST"
    ended: list[int] = msgspec.field(default_factory=lambda: [400, 404, 409, 410])


class Probing(Call, kw_only=True):
    """A call that shows whether the API is there and lets us in. `items`: place of a list of what it offers, and `name`
    of the name of one."""

    items: Place | None = None
    name: Place = msgspec.field(default_factory=lambda: ["id", "name"])


class RestSettings(BackendSettings, kw_only=True):
    """Without `fetch` the result is in the reply to `poll`; without `cancel` what runs, runs to its end; without `poll`
    the reply to `submit` holds the result (`submit.result`).

    `concurrency` is how many submits, and results fetched, go at a time. `states` says what the API's words for a
    status mean, for those that are not the usual ones: `ARCHIVED = "completed"`, `3 = "failed"`, `null = "processing"`.
    """

    left_out: ClassVar[dict[str, str]] = LEFT_OUT
    submit: Submit
    """The call that creates the work."""
    poll: Poll | None = None
    """How its state is asked for; left out: the reply to `submit` holds the result."""
    fetch: Fetch | None = None
    """How its result comes; left out: it is in the reply to `poll`."""
    cancel: Cancel | None = None
    """How it is stopped; left out: it runs to its end."""
    find: Find | None = None
    """How a lost submit is looked up; left out: it needs a person."""
    sign_in: SignIn | None = None
    """How a token is got, where the API gives one."""
    probe: Probing | None = None
    """A call that shows whether the API is there."""
    states: dict[str, State] = {}
    """What the API's own words for a status mean."""
    look_back: float | str = "1h"
    """How far back `find` looks before the submit, for clocks that differ."""


class RestWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`[job]`: `input` is any JSON, which the templates of `submit` send; `name` what people call it (its id)."""

    input: Json = None
    """Any JSON, which the templates of `submit` send."""
    name: str | None = None
    """What people call it; left out: its id."""
