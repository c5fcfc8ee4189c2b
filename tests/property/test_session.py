"""Records and journals against everything that JSON can say, and every place to be cut."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trackcore.session import framed, journal, text
from trackcore.session.models import Session

SMALLEST = {"timestamp": "t", "resolution": [2, 2], "fps": 25.0, "success": True}
plain_text = st.text(st.characters(codec="utf-8"), max_size=20)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
)
unknown = st.dictionaries(plain_text, values, max_size=5).map(
    lambda fields: {name: v for name, v in fields.items() if name not in Session.model_fields}
)


@given(top=unknown, inner=unknown)
def test_whatever_is_unknown_comes_back(top, inner):
    inner.pop("region", None)
    fields = {**SMALLEST, **top, "tracks": [{"region": "center", "zzz": inner}]}
    record = text.parse(Session, json.dumps(fields).encode())
    again = text.parse(Session, text.render(record.checked()))
    assert again.to_dict() == {"schema_version": 1, **fields}


@given(items=st.lists(values, max_size=8), cut=st.integers(0, 10_000))
def test_a_framed_file_cut_anywhere_is_what_was_whole(items, cut):
    lines = [framed.line([item]) for item in items]
    data = b"".join(lines)
    cut = min(cut, len(data))
    whole, end = 0, 0
    for line in lines:
        end += len(line)
        whole += end <= cut
    read = framed.values(data[:cut])
    assert read[:whole] == [[item] for item in items[:whole]]
    assert read[whole:] in ([], [None])


@given(
    items=st.lists(values, min_size=1, max_size=5),
    place=st.integers(0, 10_000),
    bit=st.integers(0, 7),
)
def test_a_bit_that_flips_is_never_believed(items, place, bit):
    data = bytearray(b"".join(framed.line([item]) for item in items))
    place %= len(data)
    data[place] ^= 1 << bit
    read = framed.values(bytes(data))
    assert all(value is None or value in [[item] for item in items] for value in read)


@given(data=st.binary(max_size=300))
def test_bytes_of_any_kind_make_no_journal_and_no_crash(data):
    record, ended = journal.replay(data)
    assert record == {}
    assert not ended
