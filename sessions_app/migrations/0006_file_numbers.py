import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Nobody has sent a file yet: the defaults are for the database's syntax, and no row gets them."""

    dependencies = [
        ('sessions_app', '0005_video_event_by_kind'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='chatfile',
            options={'ordering': ['number']},
        ),
        migrations.AddField(
            model_name='chatfile',
            name='number',
            field=models.PositiveSmallIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='chatfile',
            name='session',
            field=models.ForeignKey(default=uuid.uuid4, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='sessions_app.helpsession'),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='chatfile',
            constraint=models.UniqueConstraint(fields=('session', 'number'), name='one_file_a_number'),
        ),
    ]
