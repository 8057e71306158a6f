"""The mood card, as Home Assistant gives it to a browser."""

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
# It is drawn anew this often at most.
EVERY_S = 30


async def the_card_is_shown(scene):
    topic = f"{scene.box.base}/card"
    titles = lambda: [track["title"] for track in scene.said("recommendation")["tracks"]]

    async def shown():
        async with scene.home.session.get(f"/api/image_proxy/{scene.id('card')}") as answer:
            return answer.status, answer.content_type, await answer.text()

    def texts(card):
        return [text.text for text in ElementTree.fromstring(card).iter(f"{SVG}text")]

    async def is_the_drawn_one():
        status, kind, card = await shown()
        if (status, kind, card) != (200, "image/svg+xml", scene.broker.text(topic)):
            return False
        lines = "\n".join(texts(card))
        return scene.said("state")["mood"] in lines and all(title in lines for title in titles())

    held = await scene.until(is_the_drawn_one, EVERY_S + 5)
    status, kind, card = await shown()
    scene.note("Home Assistant shows the card with the mood and the list", held, f"{status} {kind}, {len(card)} bytes")
    pictures = [element.tag for element in ElementTree.fromstring(card).iter() if element.tag == f"{SVG}image"]
    scene.note("it is drawn, without a picture of the camera", not pictures)
