from django.urls import path

from sessions_app.views import actions, asking, board, files, landing, notes, numbers, past, receipt, session, video

urlpatterns = [
    path("", landing.home, name="home"),
    path("ask/", asking.ask, name="ask"),
    path("sessions/", past.history, name="sessions"),
    path("sessions/export.csv", past.export, name="sessions_csv"),
    path("sessions/<uuid:session_id>/", session.session, name="session"),
    path("sessions/<uuid:session_id>/receipt.pdf", receipt.pdf, name="session_receipt"),
    path("sessions/<uuid:session_id>/files/", files.send, name="session_files"),
    path("sessions/<uuid:session_id>/files/<uuid:file_id>/", files.give, name="session_file"),
    path("sessions/<uuid:session_id>/chat.txt", files.chat_text, name="session_chat"),
    path("sessions/<uuid:session_id>/notes.txt", notes.text, name="session_notes"),
    path("sessions/<uuid:session_id>/accept/", actions.accept, name="session_accept"),
    path("sessions/<uuid:session_id>/pass/", actions.pass_on, name="session_pass"),
    path("sessions/<uuid:session_id>/wait/", actions.wait, name="session_wait"),
    path("sessions/<uuid:session_id>/later/", actions.later, name="session_later"),
    path("sessions/<uuid:session_id>/later/stop/", actions.stop_telling, name="session_later_stop"),
    path("sessions/<uuid:session_id>/cancel/", actions.cancel, name="session_cancel"),
    path("sessions/<uuid:session_id>/release/", actions.release, name="session_release"),
    path("sessions/<uuid:session_id>/join/", actions.join, name="session_join"),
    path("sessions/<uuid:session_id>/pause/", actions.pause, name="session_pause"),
    path("sessions/<uuid:session_id>/resume/", actions.resume, name="session_resume"),
    path("sessions/<uuid:session_id>/extend/", actions.extend, name="session_extend"),
    path("sessions/<uuid:session_id>/end/", actions.end, name="session_end"),
    path("sessions/<uuid:session_id>/rate/", actions.rate, name="session_rate"),
    path("sessions/<uuid:session_id>/report/", actions.report, name="session_report"),
    path("sessions/webhooks/twilio/video/", video.twilio_video_webhook, name="twilio_video_webhook"),
    path("expert/", board.board, name="board"),
    path("expert/availability/", board.availability, name="expert_availability"),
    path("expert/numbers/", numbers.numbers, name="expert_numbers"),
]
