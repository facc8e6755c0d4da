"""A process works on so many requests at a time; who is slow holds nobody up."""

import asyncio

from server.kit.line import Line


class House:
    """An application of which each request answers when it is told to."""

    def __init__(self):
        self.begun, self.told = [], {}

    async def __call__(self, scope, receive, send):
        if scope["method"] == "POST":
            while (await receive())["more_body"]:
                pass
        self.begun.append(scope["path"])
        await self.told.setdefault(scope["path"], asyncio.Event()).wait()
        if scope["path"] == "/fault":
            raise ValueError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.told.setdefault(f"{scope['path']}, read", asyncio.Event()).wait()

    def tell(self, word):
        self.told.setdefault(word, asyncio.Event()).set()


def played(play, **chosen):
    async def whole():
        house = House()
        line = Line(house, **{"at_once": 2, "patience_s": 3600} | chosen)
        tasks = []

        async def ask(path, method="GET", body=None):
            async def receive():
                return await body.get()

            async def send(_message):
                """Nobody reads it."""

            scope = {"type": "http", "path": path, "method": method}
            tasks.append(asyncio.create_task(line(scope, receive, send)))
            await settled()

        await play(house, ask)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(whole())


class Round:
    """Lets the loop go round once."""

    def __await__(self):
        yield


async def settled():
    for _ in range(20):
        await Round()


def test_the_third_begins_when_one_of_two_begins_to_answer_and_those_who_wait_keep_their_order():
    async def play(house, ask):
        for path in ("/1", "/2", "/3", "/4"):
            await ask(path)
        assert house.begun == ["/1", "/2"]
        house.tell("/2")
        await settled()
        assert house.begun == ["/1", "/2", "/3"], "its answer is being read yet"
        house.tell("/2, read")
        await settled()
        assert house.begun == ["/1", "/2", "/3"], "a place is given back once"

    played(play)


def test_a_request_whose_body_is_not_there_yet_holds_no_place():
    async def play(house, ask):
        body = asyncio.Queue()
        body.put_nowait({"type": "http.request", "body": b"half", "more_body": True})
        await ask("/slow", "POST", body)
        await ask("/1")
        assert house.begun == ["/1"]
        body.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        await settled()
        assert house.begun == ["/1"], "now it stands in line"
        house.tell("/1")
        await settled()
        assert house.begun == ["/1", "/slow"]

    played(play, at_once=1)


def test_a_long_one_keeps_no_place_and_a_fault_gives_its_own_back():
    async def play(house, ask):
        await ask("/long")
        await ask("/1")
        assert house.begun == ["/long", "/1"]

    played(play, at_once=1, patience_s=0)

    async def faulty(house, ask):
        await ask("/fault")
        await ask("/1")
        house.tell("/fault")
        await settled()
        assert house.begun == ["/fault", "/1"]

    played(faulty, at_once=1)


def test_phones_and_files_stand_in_no_line():
    async def play(house, ask):
        for path in ("/1", "/2", "/sync/v1/push", "/static/app.css", "/3"):
            await ask(path)
        assert house.begun == ["/1", "/sync/v1/push", "/static/app.css"]

    played(play, at_once=1)


def test_one_application_serves_several_loops():
    line = Line(House(), at_once=1, patience_s=3600)

    async def ask():
        task = asyncio.create_task(line({"type": "http", "path": "/1", "method": "GET"}, None, None))
        await settled()
        other = asyncio.create_task(line({"type": "http", "path": "/2", "method": "GET"}, None, None))
        await settled()
        begun = list(line.app.begun)
        for one in (task, other):
            one.cancel()
        await asyncio.gather(task, other, return_exceptions=True)
        return begun

    assert asyncio.run(ask()) == ["/1"]
    line.app.begun.clear()
    line.app.told.clear()
    assert asyncio.run(ask()) == ["/1"]
