"""People: users, experts, and where and when they can be reached."""

from accounts.models.addresses import Phone, PushSubscription, TextConsent
from accounts.models.experts import ExpertHours, ExpertProfile, ExpertTopic, Topic
from accounts.models.messages import MISSED, REACHED, Message, SentMail
from accounts.models.people import Block, Photo, Suspension, User, validate_time_zone

__all__ = [
    "MISSED",
    "REACHED",
    "Block",
    "ExpertHours",
    "ExpertProfile",
    "ExpertTopic",
    "Message",
    "Phone",
    "Photo",
    "PushSubscription",
    "SentMail",
    "Suspension",
    "TextConsent",
    "Topic",
    "User",
    "validate_time_zone",
]
