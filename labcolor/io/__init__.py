"""Reading and writing: picture files, videos, and the ffmpeg program."""
