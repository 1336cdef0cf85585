#!/usr/bin/env bash
# The report's page, read back: what stands in the heat map without hovering, the family tree, large leagues, sizes of text.
. "$(dirname "$0")/common.sh"
"$AGON" train "$smoke" --run-dir small --quiet league.reset_to=past league.past_low=0 league.past_high=1
"$AGON" train "$smoke" game=matrix_game frames=90k net.hidden=[8] actors.eval_share=0.5 league.end_games=0 league.main_snapshot_min=500 \
  league.main_snapshot_max=500 league.exploiter_snapshot_max=1k league.league_snapshot_max=1k --run-dir large --quiet
for run in small large; do
  "$AGON" report $run > /dev/null
  "$AGON" league show $run --json > $run.json
done
expect 0 "family.svg: .* players" "$AGON" report small --family family.svg
expect 2 "exclude each other" "$AGON" report small --family family.svg --out page.html
$python - <<'P'
import json, math, re
pages = {run: open(run + "/report.html").read() for run in ("small", "large")}
leagues = {run: json.load(open(run + ".json"))["players"] for run in pages}
def section(page, name): return re.search(r"<section id=%s>.*?</section>" % name, page, re.S).group(0)

for run, page in pages.items():
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    for size in re.findall(r"font-size:([\d.]+)px", style): assert float(size) >= 11, size
    assert min(map(float, re.findall(r"font:([\d.]+)px", style))) >= 11
    # no picture is wider than what a phone of 390 points shows it at, unless it scrolls and keeps its size
    for before, width, own in re.findall(r"<figure([^<]*)>(?:(?!</figure>).)*?<svg[^>]*viewBox=\"0 0 (\d+) [\d.]+\"([^>]*)>", page, re.S):
        assert int(width) <= 330 or "class=scroll" in before, (before, width)
    for width, low in re.findall(r"<div class=scroll><svg viewBox=\"0 0 (\d+) \d+\" style=\"min-width:(\d+)px", page): assert width == low
    assert ".tree{min-width:760px" in style and "<svg class=\"tree\" viewBox=\"0 0 760 " in page
    # labels below the axes stay within their picture (a letter is less than 7.5 wide)
    for width, drawing in re.findall(r"<svg[^>]*viewBox=\"0 0 (\d+) [\d.]+\"[^>]*>(.*?)</svg>", page, re.S):
        for x, anchor, text in re.findall(r'<text class="t" x="([.\d]+)" y="[.\d]+" text-anchor="(middle|end)">([^<]*)</text>', drawing):
            assert float(x) + (7.5 * len(text) / 2 if anchor == "middle" else 0) <= int(width), (x, text, width)
    for part in re.findall(r"<path class=\"l [^>]*d=\"([^\"]*)\"", page): assert "nan" not in part
    heat = section(page, "payoff")
    # rows and columns have labels, the colours a scale, and who never met is not even
    upright = re.findall(r"text-anchor=middle>([^<]+)</text>", heat) + re.findall(r"rotate\(-90\)\">([^<]+)</text>", heat)
    rows = re.findall(r"text-anchor=end>([^<]+)</text>", heat)
    labels = [text for text in rows if "wins" not in text]
    assert labels and all(upright.count(text) >= labels.count(text) for text in labels), (labels, upright)
    for text in "loses: 0", "even: 50", "wins: 100", "never met</text>", "id=never": assert text in heat, text
    # each number in a cell is what the cell says on hovering
    cells = re.findall(r"<rect class=\w fill-opacity=\"[.\d]+\" x=\"([.\d]+)\" y=\"([.\d]+)\"[^>]*><title>(\S+)(?: [^<]*?)? against [^<]*?: ([.\d]+) \[[^<]*</title></rect>"
                       r"<text class=[vs] x=\"([.\d]+)\" y=\"([.\d]+)\">(\d+)</text>", heat)
    for x, y, a, score, tx, ty, number in cells:
        assert abs(100 * float(score) - int(number)) <= 0.5 + 0.051, (a, score, number)
        assert 0 < float(tx) - float(x) < 20 and 0 < float(ty) - float(y) < 20
    assert len(cells) == len(re.findall(r"games \(\+", heat)) >= 40, len(cells)
    for x, y in re.findall(r"<rect class=z x=\"([.\d]+)\" y=\"([.\d]+)\" width=\"[.\d]+\" height=\"[.\d]+\"><title>", heat):
        assert (x, y) not in {(c[0], c[1]) for c in cells}

# the first main against itself, in pictures from the first position to the end
film = section(pages["small"], "episode")
steps = [tuple(map(int, s)) for s in re.findall(r"<figcaption>step (\d+) of (\d+)", film)]
assert steps[0][0] == 0 and steps[-1][0] == steps[-1][1] and len(steps) == 6 and steps == sorted(set(steps)), steps
assert re.search(r"; (the (first|second) side wins|drawn)</figcaption>", film) and film.count("<pre>") == 6, film
assert len(re.findall(r"[\u2715\u25cb]", film.split("<pre>")[-1])) == steps[-1][1], film  # a stone a move

# a snapshot's label is its number
small = {p["name"]: p for p in leagues["small"]}
numbers = re.findall(r"text-anchor=end>(\d+|now)</text>", section(pages["small"], "payoff"))
assert sorted(numbers) == sorted(str(int(p.rsplit("-", 1)[1])) if small[p]["frozen"] else "now" for p in small), numbers

# the tree: a branch for each learning player that goes on from a snapshot, and a square for each life
family = section(pages["small"], "family")
branches = set(re.findall(r"<title>life (\d+) of (\S+) goes on from the weights of (\S+)</title>", family))
expected = {(str(p["life"]), p["name"], p["parent"]) for p in leagues["small"] if not p["frozen"] and p["parent"]}
assert branches == expected and len(expected) >= 1, (branches, expected)
for p in leagues["small"]:
    if not p["frozen"] and p["life"]: assert len(re.findall(r"class=\"o c%d\" x=[^>]*><title>life \d+ begins" % [q["name"] for q in leagues["small"]].index(p["name"]), family)) == p["life"] + 1

# the tree alone is a picture: XML that stands by itself, with one mark for each snapshot and a name for each line
import xml.dom.minidom
picture = xml.dom.minidom.parse("family.svg").documentElement
assert picture.tagName == "svg" and picture.getAttribute("xmlns") == "http://www.w3.org/2000/svg"
marks = [c.getElementsByTagName("title")[0].firstChild.data.split(":")[0] for c in picture.getElementsByTagName("circle")]
assert sorted(marks) == sorted(p for p in small if small[p]["frozen"]), marks
lines = [t.firstChild.data for t in picture.getElementsByTagName("text") if t.getAttribute("class") == "n"]
assert lines == [p["name"] for p in leagues["small"] if not p["frozen"]], lines
style = picture.getElementsByTagName("style")[0].firstChild.data
used = {word for node in picture.getElementsByTagName("*") for word in node.getAttribute("class").split()}
assert used and all("." + word + "{" in style for word in used), used

# the words at the end of each line stay within the picture (a letter is less than 6.5 wide)
for page in pages.values():
    ends = re.findall(r'<text class="t" x="([.\d]+)" y="[.\d]+">(\d+ snapshots?[^<]*)</text>', section(page, "family"))
    assert len(ends) == 3 and all(float(x) + 6.5 * len(text) < 760 for x, text in ends), ends

# of many players the curves are means, with few points, no dots
assert len(leagues["large"]) > 100, len(leagues["large"])
ratings = {run: section(page, "ratings") for run, page in pages.items()}
assert "means over stretches of age" in ratings["large"] and "means over" not in ratings["small"]
assert "<circle" in ratings["small"] and "<circle" not in ratings["large"]
for curve in re.findall(r"<path class=\"l c\d\" d=\"([^\"]*)\"", ratings["large"]): assert curve.count("L") < 32
assert max(curve.count("L") for curve in re.findall(r"<path class=\"l c\d\" d=\"([^\"]*)\"", ratings["large"])) > 8
P
echo passed
