"""The heart of Berth: repositories, images, tags, layers, principals and policies, and where they are kept."""
