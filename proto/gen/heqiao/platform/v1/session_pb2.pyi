import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.platform.v1 import notices_pb2 as _notices_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignInRequest(_message.Message):
    __slots__ = ("account", "password")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    account: str
    password: str
    def __init__(self, account: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class SignInResponse(_message.Message):
    __slots__ = ("token", "has_second_factor")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    HAS_SECOND_FACTOR_FIELD_NUMBER: _ClassVar[int]
    token: str
    has_second_factor: bool
    def __init__(self, token: _Optional[str] = ..., has_second_factor: _Optional[bool] = ...) -> None: ...

class BeginSecondFactorRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class BeginSecondFactorResponse(_message.Message):
    __slots__ = ("secret", "uri")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    secret: str
    uri: str
    def __init__(self, secret: _Optional[str] = ..., uri: _Optional[str] = ...) -> None: ...

class FinishSignInRequest(_message.Message):
    __slots__ = ("token", "code")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    token: str
    code: str
    def __init__(self, token: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class FinishSignInResponse(_message.Message):
    __slots__ = ("token", "person")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    token: str
    person: Person
    def __init__(self, token: _Optional[str] = ..., person: _Optional[_Union[Person, _Mapping]] = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("account", "name", "unit", "roles", "need", "record_version", "record_until", "last_sign_in")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    RECORD_VERSION_FIELD_NUMBER: _ClassVar[int]
    RECORD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    LAST_SIGN_IN_FIELD_NUMBER: _ClassVar[int]
    account: str
    name: str
    unit: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    need: str
    record_version: str
    record_until: _timestamp_pb2.Timestamp
    last_sign_in: _timestamp_pb2.Timestamp
    def __init__(self, account: _Optional[str] = ..., name: _Optional[str] = ..., unit: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., need: _Optional[str] = ..., record_version: _Optional[str] = ..., record_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_sign_in: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SignOutRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SignOutResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPersonRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPersonResponse(_message.Message):
    __slots__ = ("person", "session_until", "notices", "node_version", "catalogue_version", "last_contact")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    SESSION_UNTIL_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    NODE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    LAST_CONTACT_FIELD_NUMBER: _ClassVar[int]
    person: Person
    session_until: _timestamp_pb2.Timestamp
    notices: _containers.RepeatedCompositeFieldContainer[_notices_pb2.Notice]
    node_version: str
    catalogue_version: str
    last_contact: _timestamp_pb2.Timestamp
    def __init__(self, person: _Optional[_Union[Person, _Mapping]] = ..., session_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., notices: _Optional[_Iterable[_Union[_notices_pb2.Notice, _Mapping]]] = ..., node_version: _Optional[str] = ..., catalogue_version: _Optional[str] = ..., last_contact: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ChangePasswordRequest(_message.Message):
    __slots__ = ("old_password", "new_password")
    OLD_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    NEW_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    old_password: str
    new_password: str
    def __init__(self, old_password: _Optional[str] = ..., new_password: _Optional[str] = ...) -> None: ...

class ChangePasswordResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SignRecordRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class SignRecordResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSignInsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSignInsResponse(_message.Message):
    __slots__ = ("sign_ins",)
    SIGN_INS_FIELD_NUMBER: _ClassVar[int]
    sign_ins: _containers.RepeatedCompositeFieldContainer[PastSignIn]
    def __init__(self, sign_ins: _Optional[_Iterable[_Union[PastSignIn, _Mapping]]] = ...) -> None: ...

class PastSignIn(_message.Message):
    __slots__ = ("at", "refused")
    AT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    refused: bool
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refused: _Optional[bool] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    def __init__(self, sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("began_at", "used_at", "own", "session_id")
    BEGAN_AT_FIELD_NUMBER: _ClassVar[int]
    USED_AT_FIELD_NUMBER: _ClassVar[int]
    OWN_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    began_at: _timestamp_pb2.Timestamp
    used_at: _timestamp_pb2.Timestamp
    own: bool
    session_id: bytes
    def __init__(self, began_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., used_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., own: _Optional[bool] = ..., session_id: _Optional[bytes] = ...) -> None: ...

class EndSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    def __init__(self, session_id: _Optional[bytes] = ...) -> None: ...

class EndSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndOtherSessionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndOtherSessionsResponse(_message.Message):
    __slots__ = ("ended",)
    ENDED_FIELD_NUMBER: _ClassVar[int]
    ended: int
    def __init__(self, ended: _Optional[int] = ...) -> None: ...
