"""Who is in a room and what they send, as a real server tells it."""

from __future__ import annotations

import pytest
from livekit.api import AccessToken, MuteRoomTrackRequest, UpdateParticipantRequest, VideoGrants
from livekit.protocol import models

from harness.secret import Secret
from harness.stack.tokens import LiveKitKeys, agent_token, caller_token
from harness.transport.room_events import ON_BEHALF_OF, Participant, Rights, kind_name, source_name
from tests.transport.rooms import serving, soon, token_with

live = pytest.mark.live
loop = pytest.mark.asyncio(loop_scope="session")


def token_of(keys: LiveKitKeys, room: str, identity: str, kind: str, attributes: dict[str, str]) -> Secret:
    token = AccessToken(keys.api_key, keys.api_secret.reveal()).with_identity(identity)
    token = token.with_kind(kind).with_attributes(attributes)  # type: ignore[arg-type]
    return Secret(token.with_grants(VideoGrants(room_join=True, room=room)).to_jwt())


@live
@loop
async def test_kinds_and_on_whose_behalf_one_publishes(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("kinds")
        avatar = token_of(server.keys, name, "avatar", "agent", {ON_BEHALF_OF: "the-agent"})
        async with (
            server.joined(caller_token(server.keys, name, "caller")) as (_, seen),
            server.joined(avatar),
            server.joined(token_of(server.keys, name, "phone", "sip", {})),
            server.joined(token_of(server.keys, name, "person", "standard", {})),
        ):
            came = [await soon(seen.participants) for _ in range(3)]
            shown = {one.identity: (one.kind, one.on_behalf_of, one.is_agent) for one in came}
            assert shown == {
                "avatar": ("agent", "the-agent", True),
                "phone": ("sip", None, False),
                "person": ("standard", None, False),
            }
            assert all(one.joined_at_ms > 10**12 for one in came)


@live
@loop
async def test_one_who_begins_to_publish_on_anothers_behalf_is_told_again(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("changes")
        async with server.joined(caller_token(server.keys, name, "caller")) as (_, seen):
            async with server.joined(agent_token(server.keys, name, "avatar")):
                assert (await soon(seen.participants)).on_behalf_of is None
                for attributes, behalf in (({"mood": "good", ON_BEHALF_OF: "it"}, "it"), ({ON_BEHALF_OF: ""}, None)):
                    await server.api.room.update_participant(
                        UpdateParticipantRequest(room=name, identity="avatar", attributes=attributes)
                    )
                    assert (await soon(seen.changed)).on_behalf_of == behalf
            assert await soon(seen.gone) == "avatar"
            assert seen.participants.empty()


@live
@loop
async def test_a_track_has_its_name_and_source_and_is_muted_and_unmuted(livekit_keys: LiveKitKeys) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("mutes")
        async with server.joined(agent_token(server.keys, name, "the-agent")) as (agent, _):
            publication = await agent.publish(name="the-voice")

            async def mute(muted: bool) -> None:
                await server.api.room.mute_published_track(
                    MuteRoomTrackRequest(room=name, identity="the-agent", track_sid=publication.sid, muted=muted)
                )

            async with server.joined(caller_token(server.keys, name, "caller")) as (_, seen):
                track = await soon(seen.tracks)
                assert (track.name, track.source) == ("the-voice", "microphone")
                assert seen.muted.empty()
                await mute(True)
                assert await soon(seen.muted) == (track, True)
                async with server.joined(caller_token(server.keys, name, "late")) as (_, late):
                    assert await soon(late.muted) == (await soon(late.tracks), True)


@live
@loop
@pytest.mark.parametrize(
    ("grants", "rights"),
    [
        ({"can_publish": True, "can_subscribe": True, "can_publish_data": True}, Rights(True, True, True)),
        ({"can_publish": False, "can_subscribe": True, "can_publish_data": True}, Rights(False, True, True)),
        ({"can_publish_data": False, "can_publish": True, "can_subscribe": True}, Rights(True, True, False)),
        (
            {"can_publish_sources": ["camera"], "can_publish": True, "can_subscribe": True, "can_publish_data": True},
            Rights(False, True, True),
        ),
        (
            {"can_publish_sources": ["microphone"], "can_publish": True, "can_subscribe": False},
            Rights(True, False, True),
        ),
        ({"can_publish": False, "can_subscribe": False, "can_publish_data": False}, Rights(False, False, False)),
    ],
)
async def test_a_join_tells_what_the_token_allows(
    livekit_keys: LiveKitKeys, grants: dict[str, object], rights: Rights
) -> None:
    async with serving(livekit_keys) as server:
        name = await server.room("rights")
        async with server.joined(token_with(server.keys, name, **grants)) as (room, seen):
            assert room.rights == rights
            assert seen.ended.empty()


def test_a_participant_as_a_server_describes_it() -> None:
    info = models.ParticipantInfo(identity="x", sid="PA_1", kind=models.ParticipantInfo.EGRESS, joined_at=7)
    assert Participant.of(info) == Participant("x", "PA_1", "egress", None, 7000)
    assert kind_name(99) == kind_name(models.ParticipantInfo.BRIDGE) == "other"
    assert source_name(models.TrackSource.SCREEN_SHARE_AUDIO) == "screen_share_audio"
    assert source_name(99) == "unknown"
