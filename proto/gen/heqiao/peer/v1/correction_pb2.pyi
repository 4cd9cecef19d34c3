import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CorrectionFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_FAULT_UNSPECIFIED: _ClassVar[CorrectionFault]
    CORRECTION_FAULT_NOT_MINE: _ClassVar[CorrectionFault]
    CORRECTION_FAULT_WRONG_VALUE: _ClassVar[CorrectionFault]
    CORRECTION_FAULT_OUTDATED: _ClassVar[CorrectionFault]
    CORRECTION_FAULT_DUPLICATE: _ClassVar[CorrectionFault]
    CORRECTION_FAULT_OTHER: _ClassVar[CorrectionFault]

class CorrectionBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_BASIS_UNSPECIFIED: _ClassVar[CorrectionBasis]
    CORRECTION_BASIS_MANDATE: _ClassVar[CorrectionBasis]
    CORRECTION_BASIS_PERSON_REQUEST: _ClassVar[CorrectionBasis]

class CorrectionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_STATE_UNSPECIFIED: _ClassVar[CorrectionState]
    CORRECTION_STATE_UNKNOWN: _ClassVar[CorrectionState]
    CORRECTION_STATE_RECEIVED: _ClassVar[CorrectionState]
    CORRECTION_STATE_CORRECTED: _ClassVar[CorrectionState]
    CORRECTION_STATE_UPHELD: _ClassVar[CorrectionState]

class CorrectionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_REASON_UNSPECIFIED: _ClassVar[CorrectionReason]
    CORRECTION_REASON_VALUE_CORRECTED: _ClassVar[CorrectionReason]
    CORRECTION_REASON_RECORD_REMOVED: _ClassVar[CorrectionReason]
    CORRECTION_REASON_RECORD_MOVED: _ClassVar[CorrectionReason]
    CORRECTION_REASON_DATE_UPDATED: _ClassVar[CorrectionReason]
    CORRECTION_REASON_RECORD_CONFIRMED: _ClassVar[CorrectionReason]
    CORRECTION_REASON_PERSON_DIFFERS: _ClassVar[CorrectionReason]
    CORRECTION_REASON_NO_EVIDENCE: _ClassVar[CorrectionReason]
    CORRECTION_REASON_OTHER_DEPARTMENT: _ClassVar[CorrectionReason]
    CORRECTION_REASON_RECORD_GONE: _ClassVar[CorrectionReason]
CORRECTION_FAULT_UNSPECIFIED: CorrectionFault
CORRECTION_FAULT_NOT_MINE: CorrectionFault
CORRECTION_FAULT_WRONG_VALUE: CorrectionFault
CORRECTION_FAULT_OUTDATED: CorrectionFault
CORRECTION_FAULT_DUPLICATE: CorrectionFault
CORRECTION_FAULT_OTHER: CorrectionFault
CORRECTION_BASIS_UNSPECIFIED: CorrectionBasis
CORRECTION_BASIS_MANDATE: CorrectionBasis
CORRECTION_BASIS_PERSON_REQUEST: CorrectionBasis
CORRECTION_STATE_UNSPECIFIED: CorrectionState
CORRECTION_STATE_UNKNOWN: CorrectionState
CORRECTION_STATE_RECEIVED: CorrectionState
CORRECTION_STATE_CORRECTED: CorrectionState
CORRECTION_STATE_UPHELD: CorrectionState
CORRECTION_REASON_UNSPECIFIED: CorrectionReason
CORRECTION_REASON_VALUE_CORRECTED: CorrectionReason
CORRECTION_REASON_RECORD_REMOVED: CorrectionReason
CORRECTION_REASON_RECORD_MOVED: CorrectionReason
CORRECTION_REASON_DATE_UPDATED: CorrectionReason
CORRECTION_REASON_RECORD_CONFIRMED: CorrectionReason
CORRECTION_REASON_PERSON_DIFFERS: CorrectionReason
CORRECTION_REASON_NO_EVIDENCE: CorrectionReason
CORRECTION_REASON_OTHER_DEPARTMENT: CorrectionReason
CORRECTION_REASON_RECORD_GONE: CorrectionReason

class SubmitCorrectionRequest(_message.Message):
    __slots__ = ("correction_id", "item", "origin", "epoch", "place", "tag", "fault", "basis", "case_reference", "proof")
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    CASE_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    correction_id: bytes
    item: str
    origin: str
    epoch: int
    place: int
    tag: bytes
    fault: CorrectionFault
    basis: CorrectionBasis
    case_reference: str
    proof: bytes
    def __init__(self, correction_id: _Optional[bytes] = ..., item: _Optional[str] = ..., origin: _Optional[str] = ..., epoch: _Optional[int] = ..., place: _Optional[int] = ..., tag: _Optional[bytes] = ..., fault: _Optional[_Union[CorrectionFault, str]] = ..., basis: _Optional[_Union[CorrectionBasis, str]] = ..., case_reference: _Optional[str] = ..., proof: _Optional[bytes] = ...) -> None: ...

class SubmitCorrectionResponse(_message.Message):
    __slots__ = ("received_at", "due_at", "due_estimated")
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    received_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    due_estimated: bool
    def __init__(self, received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_estimated: _Optional[bool] = ...) -> None: ...

class GetCorrectionsRequest(_message.Message):
    __slots__ = ("correction_ids",)
    CORRECTION_IDS_FIELD_NUMBER: _ClassVar[int]
    correction_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, correction_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetCorrectionsResponse(_message.Message):
    __slots__ = ("corrections",)
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    corrections: _containers.RepeatedCompositeFieldContainer[CorrectionStatus]
    def __init__(self, corrections: _Optional[_Iterable[_Union[CorrectionStatus, _Mapping]]] = ...) -> None: ...

class CorrectionStatus(_message.Message):
    __slots__ = ("correction_id", "state", "reason", "answered_at")
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    correction_id: bytes
    state: CorrectionState
    reason: CorrectionReason
    answered_at: _timestamp_pb2.Timestamp
    def __init__(self, correction_id: _Optional[bytes] = ..., state: _Optional[_Union[CorrectionState, str]] = ..., reason: _Optional[_Union[CorrectionReason, str]] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
